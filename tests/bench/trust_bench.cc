// What it costs to believe a token, for each algorithm, and to refuse garbage: the latter must be much
// cheaper, for it is what a stranger can send.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <string_view>

#include "cds_hooks/trust/authenticator.h"
#include "tests/cds_hooks/token_maker.h"
#include "tests/testing.h"

namespace stepwise::trust {
namespace {

constexpr std::int64_t kNow = 1'796'893'200;  // 2026-12-10T09:00:00Z
const std::string kIss = "https://ehr.example.org/";
const std::string kEndpoint = "https://cds.example.org/cds-services/pain";

// Checks one header again and again; `message`: of the error, "" when the caller is let in.
void CheckInLoop(benchmark::State& state, const std::string& jwk_set, const std::string& authorization,
                 std::string_view message) {
  const TempDir dir;
  const std::string file = (dir.path() / "jwks.json").string();
  WriteFile(file, jwk_set);
  const auto authenticator =
      Authenticator::Make({.issuers = {{.iss = kIss, .jwks_file = file}}, .refuse_replayed_jti = false}, {});
  const DateTime now = DateTime::FromUnixMillis(kNow * 1000);
  for (auto _ : state) {
    bool as_expected = false;
    (*authenticator)
        ->Check({.authorization = authorization}, kEndpoint, now, [&](const Result<Caller>& caller) {
          as_expected = (caller ? "" : caller.error().message) == message;
        });
    if (!as_expected) state.SkipWithError("not the expected verdict");
  }
}

void BM_GoodToken(benchmark::State& state, Algorithm algorithm) {
  TokenMaker ehr(kIss, algorithm);
  CheckInLoop(state, ehr.JwkSetText(), "Bearer " + ehr.Token(kEndpoint, kNow), "");
}
BENCHMARK_CAPTURE(BM_GoodToken, ES256, Algorithm::kES256);
BENCHMARK_CAPTURE(BM_GoodToken, ES384, Algorithm::kES384);
BENCHMARK_CAPTURE(BM_GoodToken, RS256, Algorithm::kRS256);
BENCHMARK_CAPTURE(BM_GoodToken, RS384, Algorithm::kRS384);

void BM_ExpiredToken(benchmark::State& state) {
  TokenMaker ehr(kIss);
  CheckInLoop(state, ehr.JwkSetText(), "Bearer " + ehr.Token(kEndpoint, kNow - 1000), "expired");
}
BENCHMARK(BM_ExpiredToken);

void BM_Garbage(benchmark::State& state) {
  const TokenMaker ehr(kIss);
  CheckInLoop(state, ehr.JwkSetText(), "Bearer " + std::string(8000, 'A') + ".AAAA.AAAA", "malformed");
}
BENCHMARK(BM_Garbage);

}  // namespace
}  // namespace stepwise::trust
