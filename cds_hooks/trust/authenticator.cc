#include "cds_hooks/trust/authenticator.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "cds_hooks/trust/jwt.h"
#include "cds_hooks/trust/reason.h"
#include "cds_hooks/trust/replay_guard.h"

namespace stepwise::trust {
namespace {

bool Contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string_view WithoutSlash(std::string_view url) {
  if (url.ends_with('/')) url.remove_suffix(1);
  return url;
}

// The token of "Bearer <token>"; the scheme in any case (RFC 9110 section 11.1). nullopt: another scheme.
std::optional<std::string_view> BearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() < kScheme.size()) return std::nullopt;
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = authorization[i];
    if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != kScheme[i]) return std::nullopt;
  }
  authorization.remove_prefix(kScheme.size());
  authorization.remove_prefix(std::min(authorization.find_first_not_of(' '), authorization.size()));
  return authorization;
}

struct Issuer {
  TrustedIssuer trusted;
  std::shared_ptr<KeySource> file;                         // or nullptr
  std::map<std::string, std::shared_ptr<KeySource>> urls;  // by jku
};

}  // namespace

struct Authenticator::Impl {
  explicit Impl(TrustOptions given)
      : options(std::move(given)), replays(static_cast<std::size_t>(options.max_remembered_tokens)) {}

  // Whether a caller that shows this is let in as nobody.
  bool IsNobody(const Credentials& credentials) const {
    if (options.required) return false;
    const bool token = options.accept != Accept::kClientCertificate && !credentials.authorization.empty();
    const bool certificate = options.accept != Accept::kJwt && !credentials.certificate_subject.empty();
    return !token && !certificate;
  }

  Status CheckCertificate(std::string_view subject) const {
    if (subject.empty()) return Refuse(Reason::kNoCertificate);
    if (!options.certificate_subjects.empty() && !Contains(options.certificate_subjects, subject))
      return Refuse(Reason::kUnknownCertificate);
    return {};
  }

  Status CheckTimes(const Jwt& jwt, std::int64_t now_ms) const {
    const std::int64_t skew_ms = options.clock_skew_s * 1000;
    if (now_ms >= jwt.exp_ms + skew_ms) return Refuse(Reason::kExpired, "payload.exp");
    if (jwt.iat_ms > now_ms + skew_ms) return Refuse(Reason::kNotYetValid, "payload.iat");
    if (jwt.nbf_ms && *jwt.nbf_ms > now_ms + skew_ms) return Refuse(Reason::kNotYetValid, "payload.nbf");
    if (jwt.exp_ms - jwt.iat_ms > options.max_token_age_s * 1000 + skew_ms)
      return Refuse(Reason::kTooLongLived, "payload.exp");
    return {};
  }

  static Status CheckClaims(const Jwt& jwt, const TrustedIssuer& issuer, std::string_view endpoint_url) {
    const bool meant = std::any_of(jwt.aud.begin(), jwt.aud.end(), [&](const std::string& aud) {
      return WithoutSlash(aud) == WithoutSlash(endpoint_url) || Contains(issuer.audiences, aud);
    });
    if (!meant) return Refuse(Reason::kWrongAudience, "payload.aud");
    if (!issuer.tenants.empty() && !Contains(issuer.tenants, jwt.tenant))
      return Refuse(Reason::kWrongTenant, "payload.tenant");
    return {};
  }

  // The source of the keys that the token is to be checked with.
  static Result<KeySource*> SourceOf(const Jwt& jwt, const Issuer& issuer) {
    if (issuer.urls.empty()) return issuer.file.get();
    if (jwt.jku.empty())
      return issuer.file != nullptr ? issuer.file.get() : issuer.urls.at(issuer.trusted.jku.front()).get();
    const auto url = issuer.urls.find(jwt.jku);
    if (url == issuer.urls.end()) return Refuse(Reason::kUnknownJku, "header.jku");
    return url->second.get();
  }

  // All that can be said about a token before its key is known.
  Result<std::pair<Jwt, KeySource*>> CheckToken(std::string_view authorization, std::string_view endpoint_url,
                                                std::int64_t now_ms) const {
    const std::optional<std::string_view> token = BearerToken(authorization);
    if (!token) return Refuse(Reason::kNoToken);
    STEPWISE_ASSIGN_OR_RETURN(Jwt jwt, Jwt::Parse(*token, static_cast<std::size_t>(options.max_token_bytes)));
    const auto issuer = issuers.find(jwt.iss);
    if (issuer == issuers.end()) return Refuse(Reason::kUnknownIssuer, "payload.iss");
    STEPWISE_ASSIGN_OR_RETURN(KeySource* const source, SourceOf(jwt, issuer->second));
    STEPWISE_RETURN_IF_ERROR(CheckTimes(jwt, now_ms));
    STEPWISE_RETURN_IF_ERROR(CheckClaims(jwt, issuer->second.trusted, endpoint_url));
    return std::pair(std::move(jwt), source);
  }

  // The rest of it.
  Status CheckSignature(const Jwt& jwt, const Result<VerifyingKey>& key, std::int64_t now_ms) {
    if (!key) return tl::unexpected(key.error());
    if (!key->Fits(jwt.algorithm)) return Refuse(Reason::kBadAlgorithm, "header.alg");
    if (!key->Verify(jwt.algorithm, jwt.signing_input, jwt.signature))
      return Refuse(Reason::kBadSignature, "signature");
    if (!options.refuse_replayed_jti) return {};
    const Admission admission =
        replays.Admit(jwt.iss, jwt.jti, jwt.exp_ms + options.clock_skew_s * 1000, now_ms);
    if (admission == Admission::kReplayed) return Refuse(Reason::kReplayed, "payload.jti");
    if (admission == Admission::kFull) return Refuse(Reason::kReplayMemoryFull);
    return {};
  }

  const TrustOptions options;
  std::map<std::string, Issuer, std::less<>> issuers;  // not changed after Make()
  ReplayGuard replays;
};

Authenticator::Authenticator(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Authenticator::~Authenticator() = default;

Result<std::unique_ptr<Authenticator>> Authenticator::Make(TrustOptions options, const FetchText& fetch,
                                                           const KeyObserver& observer) {
  STEPWISE_RETURN_IF_ERROR(CheckTrustOptions(options));
  const auto impl = std::make_shared<Impl>(std::move(options));
  std::map<std::string, std::shared_ptr<KeySource>> by_url;  // one a URL, whoever publishes there
  for (const TrustedIssuer& trusted : impl->options.issuers) {
    Issuer issuer{trusted, nullptr, {}};
    if (!trusted.jwks_file.empty()) {
      const auto file = std::make_shared<FileKeys>(trusted.jwks_file, impl->options.keys, observer);
      STEPWISE_RETURN_IF_ERROR(file->Load());
      issuer.file = file;
    }
    for (const std::string& url : trusted.jku) {
      if (!fetch) return Fail(Code::kInvalidArgument, "a jku, and nothing to fetch it with");
      std::shared_ptr<KeySource>& source = by_url[url];
      if (source == nullptr) source = std::make_shared<UrlKeys>(url, impl->options.keys, fetch, observer);
      issuer.urls.emplace(url, source);
    }
    impl->issuers.emplace(trusted.iss, std::move(issuer));
  }
  return std::unique_ptr<Authenticator>(new Authenticator(impl));
}

void Authenticator::Check(const Credentials& credentials, std::string_view endpoint_url, const DateTime& now,
                          Done done) {
  if (impl_->IsNobody(credentials)) return done(Caller{});
  const Accept accept = impl_->options.accept;
  const bool token_counts = accept == Accept::kJwt || accept == Accept::kBoth ||
                            (accept == Accept::kEither && !credentials.authorization.empty());
  Caller caller;
  if (accept == Accept::kBoth || !token_counts) {
    const Status certificate = impl_->CheckCertificate(credentials.certificate_subject);
    if (!certificate) return done(tl::unexpected(certificate.error()));
    caller.certificate_subject = credentials.certificate_subject;
  }
  if (!token_counts) return done(std::move(caller));

  const std::int64_t now_ms = now.ToUnixMillis();
  auto checked = impl_->CheckToken(credentials.authorization, endpoint_url, now_ms);
  if (!checked) return done(tl::unexpected(std::move(checked.error())));
  caller.iss = checked->first.iss;
  caller.tenant = checked->first.tenant;
  const std::string kid = checked->first.kid;
  checked->second->Find(
      kid, now_ms,
      [impl = impl_, jwt = std::move(checked->first), caller = std::move(caller), now_ms,
       done = std::move(done)](const Result<VerifyingKey>& key) {
        const Status status = impl->CheckSignature(jwt, key, now_ms);
        done(status ? Result<Caller>(caller) : Result<Caller>(tl::unexpected(status.error())));
      });
}

}  // namespace stepwise::trust
