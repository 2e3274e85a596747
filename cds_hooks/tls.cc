#include "cds_hooks/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

namespace stepwise::cds_hooks {
namespace {

namespace ssl = boost::asio::ssl;

template <auto Free>
struct Freeing {
  template <typename T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using ContextPtr = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>>;
using BioPtr = std::unique_ptr<BIO, Freeing<BIO_free_all>>;
using CertificatePtr = std::unique_ptr<X509, Freeing<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;

tl::unexpected<Error> Wrong(std::string_view option, const std::string& file, std::string message) {
  ERR_clear_error();
  return Fail(Code::kInvalidArgument, std::string(option) + ": " + std::move(message),
              SourceSpan{file, 0, 0, 0});
}

Result<std::string> ReadPem(std::string_view option, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) {
    return Fail(Code::kNotFound, std::string(option) + ": the file cannot be read, or is empty",
                SourceSpan{file, 0, 0, 0});
  }
  return std::move(text).str();
}

BioPtr Reader(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// A server has nobody to ask for a passphrase: without this OpenSSL would wait for one at the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

CertificatePtr NextCertificate(BIO* reader) {
  return CertificatePtr(PEM_read_bio_X509(reader, nullptr, NoPassphrase, nullptr));
}

// RFC 7301: http/1.1 where it is offered; a client that offers only others is told so.
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* offered,
                   unsigned offered_length, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, length, kHttp11, sizeof kHttp11 - 1, offered, offered_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

std::int64_t NotAfter(const X509* certificate) {
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return 0;
  return static_cast<std::int64_t>(::timegm(&time));
}

Result<std::int64_t> UseCertificate(SSL_CTX* context, const TlsOptions& options, const std::string& pem) {
  const BioPtr reader = Reader(pem);
  const CertificatePtr own = NextCertificate(reader.get());
  if (own == nullptr || SSL_CTX_use_certificate(context, own.get()) != 1)
    return Wrong("tls-certificate", options.certificate, "expected a certificate in PEM");
  while (CertificatePtr between = NextCertificate(reader.get())) {
    if (SSL_CTX_add0_chain_cert(context, between.get()) != 1)
      return Wrong("tls-certificate", options.certificate, "the chain cannot be used");
    between.release();  // the context's now
  }
  ERR_clear_error();  // "no start line" is how the end is said
  return NotAfter(own.get());
}

Status UseKey(SSL_CTX* context, const TlsOptions& options, const std::string& pem) {
  const BioPtr reader = Reader(pem);
  const KeyPtr key(PEM_read_bio_PrivateKey(reader.get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr)
    return Wrong("tls-private-key", options.private_key, "expected a private key in PEM, not encrypted");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
    return Wrong("tls-private-key", options.private_key, "it is not the key of the certificate");
  return {};
}

Status UseClientCa(SSL_CTX* context, const TlsOptions& options, const std::string& pem) {
  const BioPtr reader = Reader(pem);
  std::size_t count = 0;
  while (const CertificatePtr authority = NextCertificate(reader.get())) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context, authority.get()) != 1) {
      return Wrong("tls-client-ca", options.client_ca, "a certificate cannot be used");
    }
    ++count;
  }
  ERR_clear_error();
  if (count == 0) return Wrong("tls-client-ca", options.client_ca, "expected certificates in PEM");
  const bool required = options.client_certificates == ClientCertificates::kRequired;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return {};
}

Status CheckOptions(const TlsOptions& options) {
  if (options.certificate.empty() || options.private_key.empty()) {
    return Fail(Code::kInvalidArgument, "tls-certificate and tls-private-key: one needs the other");
  }
  const bool asks = options.client_certificates != ClientCertificates::kNone;
  if (asks != !options.client_ca.empty()) {
    return Fail(Code::kInvalidArgument,
                "tls-client-ca and tls-client-certificates (optional or required): one needs the other");
  }
  return {};
}

}  // namespace

Result<ClientCertificates> ParseClientCertificates(std::string_view name) {
  if (name == "none") return ClientCertificates::kNone;
  if (name == "optional") return ClientCertificates::kOptional;
  if (name == "required") return ClientCertificates::kRequired;
  return Fail(Code::kInvalidArgument, "tls-client-certificates: expected none, optional or required");
}

TlsCertificates::Files::~Files() { OPENSSL_cleanse(private_key.data(), private_key.size()); }

std::array<unsigned char, 32> TlsCertificates::Files::Digest() const {
  std::array<unsigned char, 96> digests;
  const std::string* const files[] = {&certificate, &private_key, &client_ca};
  for (std::size_t i = 0; i < std::size(files); ++i) {
    SHA256(reinterpret_cast<const unsigned char*>(files[i]->data()), files[i]->size(),
           digests.data() + 32 * i);
  }
  std::array<unsigned char, 32> digest;
  SHA256(digests.data(), digests.size(), digest.data());
  return digest;
}

Result<std::unique_ptr<TlsCertificates>> TlsCertificates::Load(TlsOptions options) {
  STEPWISE_RETURN_IF_ERROR(CheckOptions(options));
  std::unique_ptr<TlsCertificates> certificates(new TlsCertificates(std::move(options)));
  STEPWISE_RETURN_IF_ERROR(certificates->Reload());
  return certificates;
}

std::shared_ptr<ssl::context> TlsCertificates::context() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

std::int64_t TlsCertificates::not_after_unix_s() const {
  const std::lock_guard lock(mutex_);
  return not_after_unix_s_;
}

Status TlsCertificates::Reload() {
  const std::lock_guard one_at_a_time(reload_mutex_);
  STEPWISE_ASSIGN_OR_RETURN(const std::unique_ptr<Files> files, Read());
  digest_ = files->Digest();
  return Use(*files);
}

Result<bool> TlsCertificates::ReloadIfChanged() {
  const std::lock_guard one_at_a_time(reload_mutex_);
  const Result<std::unique_ptr<Files>> files = Read();
  // A file that is gone is one change, which is told once.
  const std::array<unsigned char, 32> digest = files ? (*files)->Digest() : std::array<unsigned char, 32>{};
  if (std::exchange(digest_, digest) == digest) return false;
  if (!files) return tl::unexpected(files.error());
  STEPWISE_RETURN_IF_ERROR(Use(**files));
  return true;
}

Result<std::unique_ptr<TlsCertificates::Files>> TlsCertificates::Read() const {
  auto files = std::make_unique<Files>();
  STEPWISE_ASSIGN_OR_RETURN(files->certificate, ReadPem("tls-certificate", options_.certificate));
  STEPWISE_ASSIGN_OR_RETURN(files->private_key, ReadPem("tls-private-key", options_.private_key));
  if (!options_.client_ca.empty()) {
    STEPWISE_ASSIGN_OR_RETURN(files->client_ca, ReadPem("tls-client-ca", options_.client_ca));
  }
  return files;
}

Status TlsCertificates::Use(const Files& files) {
  ContextPtr made(SSL_CTX_new(TLS_server_method()));
  if (made == nullptr) return Fail(Code::kInternal, "tls: OpenSSL gives no context");
  SSL_CTX* const context = made.get();
  SSL_CTX_set_min_proto_version(context,
                                options_.min_version == TlsVersion::kTls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // an idle connection keeps no buffers
  if (SSL_CTX_set_cipher_list(context, options_.ciphers.c_str()) != 1) {
    ERR_clear_error();
    return Fail(Code::kInvalidArgument, "tls-ciphers: OpenSSL knows none of these");
  }
  // Sessions that clients resume belong to this context only, so a client's certificate that the new files no
  // longer allow is asked for again.
  static constexpr unsigned char kSessions[] = "stepwise";
  SSL_CTX_set_session_id_context(context, kSessions, sizeof kSessions - 1);
  SSL_CTX_set_alpn_select_cb(context, SelectProtocol, nullptr);
  STEPWISE_ASSIGN_OR_RETURN(const std::int64_t not_after,
                            UseCertificate(context, options_, files.certificate));
  STEPWISE_RETURN_IF_ERROR(UseKey(context, options_, files.private_key));
  if (!files.client_ca.empty()) STEPWISE_RETURN_IF_ERROR(UseClientCa(context, options_, files.client_ca));

  auto shared = std::make_shared<ssl::context>(made.release());
  const std::lock_guard lock(mutex_);
  context_ = std::move(shared);
  not_after_unix_s_ = not_after;
  return {};
}

std::string VerifiedSubject(SSL* connection) {
  const CertificatePtr certificate(SSL_get1_peer_certificate(connection));
  if (certificate == nullptr || SSL_get_verify_result(connection) != X509_V_OK) return "";
  const BioPtr text(BIO_new(BIO_s_mem()));
  if (text == nullptr ||
      X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate.get()), 0, XN_FLAG_RFC2253) < 0) {
    return "";
  }
  char* data = nullptr;
  const long length = BIO_get_mem_data(text.get(), &data);
  return length > 0 ? std::string(data, static_cast<std::size_t>(length)) : "";
}

}  // namespace stepwise::cds_hooks
