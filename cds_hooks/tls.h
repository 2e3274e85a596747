// TlsCertificates: who the server is over TLS, and which clients it knows; read anew without a gap.
//
//   STEPWISE_ASSIGN_OR_RETURN(auto tls, TlsCertificates::Load({.certificate = "server.pem",
//                                                              .private_key = "server.key"}));
//   std::shared_ptr<boost::asio::ssl::context> context = tls->context();   // for one connection
//   Status status = tls->Reload();                                         // after the files changed
//
// A reload is all or nothing: when a file cannot be read, or the key is not the certificate's, the last good
// ones go on serving. Connections keep what they started with. TLS 1.2 with AEAD ciphers and forward secrecy
// only, or 1.3; ALPN http/1.1; no renegotiation, no compression.
//
// What it does not do: revocation lists, OCSP, encrypted private keys, looking whether the certificate is
// still valid (not_after_unix_s() says until when; clients refuse an expired one). Errors: kInvalidArgument
// (options that do not fit each other, a file that is not what it should be), kNotFound (a file that cannot
// be read). Messages name the option and the file, never what is in it. Thread-safety: all methods from many
// threads at once.
#ifndef STEPWISE_CDS_HOOKS_TLS_H_
#define STEPWISE_CDS_HOOKS_TLS_H_

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "fhir/result.h"

namespace stepwise::cds_hooks {

enum class ClientCertificates : std::uint8_t {
  kNone,      // not asked for
  kOptional,  // asked for; one that is sent must be good
  kRequired,  // no connection without
};

// "none", "optional", "required".
Result<ClientCertificates> ParseClientCertificates(std::string_view name);

enum class TlsVersion : std::uint8_t { kTls12, kTls13 };

struct TlsOptions {
  std::string certificate = {};  // PEM: the server's, then those between it and the root
  std::string private_key = {};  // PEM, not encrypted; may be the same file
  std::string client_ca = {};    // PEM: who may sign clients' certificates
  ClientCertificates client_certificates = ClientCertificates::kNone;
  TlsVersion min_version = TlsVersion::kTls12;
  std::string ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";  // of TLS 1.2, as OpenSSL writes them

  bool enabled() const { return !certificate.empty() || !private_key.empty(); }
};

class TlsCertificates {
 public:
  static Result<std::unique_ptr<TlsCertificates>> Load(TlsOptions options);

  // The last good ones. Never null.
  std::shared_ptr<boost::asio::ssl::context> context() const;
  std::int64_t not_after_unix_s() const;  // when the server's certificate ends, in seconds since 1970

  Status Reload();
  // Reload() if the files' bytes are others than at the last attempt. false: they are the same.
  Result<bool> ReloadIfChanged();

 private:
  struct Files {
    std::string certificate, private_key, client_ca;
    ~Files();  // wipes the key
    std::array<unsigned char, 32> Digest() const;
  };

  explicit TlsCertificates(TlsOptions options) : options_(std::move(options)) {}
  Result<std::unique_ptr<Files>> Read() const;
  Status Use(const Files& files);

  const TlsOptions options_;
  std::mutex reload_mutex_;                 // one reload at a time
  std::array<unsigned char, 32> digest_{};  // of the last attempt's files; guarded by reload_mutex_
  mutable std::mutex mutex_;
  std::shared_ptr<boost::asio::ssl::context> context_;  // guarded by mutex_, as is:
  std::int64_t not_after_unix_s_ = 0;
};

// The subject of the certificate that the client showed and that was verified, as RFC 2253 writes it
// ("CN=ehr.example.org,O=Example"); "" without one.
std::string VerifiedSubject(SSL* connection);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_TLS_H_
