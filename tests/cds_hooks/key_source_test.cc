#include "cds_hooks/trust/key_source.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/cds_hooks/fake_fetcher.h"
#include "tests/cds_hooks/token_maker.h"
#include "tests/testing.h"

namespace stepwise::trust {
namespace {

const std::string kUrl = "https://ehr.example.org/jwks.json";

// A set with an EC key of each kid; always the same key, for it is only looked for here.
std::string SetOf(const std::vector<std::string>& kids) {
  static const TokenKey key(Algorithm::kES256);
  nlohmann::json keys = nlohmann::json::array();
  for (const std::string& kid : kids) keys.push_back(key.Jwk(kid));
  return nlohmann::json({{"keys", keys}}).dump();
}

// "found", the reason, or "" while there is no answer. Each Find() has one of its own.
using Answer = std::shared_ptr<std::string>;
Answer Ask(KeySource& source, const std::string& kid, std::int64_t now_s) {
  auto answer = std::make_shared<std::string>();
  source.Find(kid, now_s * 1000, [answer](const Result<VerifyingKey>& key) {
    *answer += key ? "found" : key.error().message;  // += shows a second answer
  });
  return answer;
}

// What an observer was told: "source: n keys, m ignored" or "source: error".
struct Log {
  std::vector<std::string> lines;
  KeyObserver Observer() {
    return [this](const KeyReport& report) {
      lines.push_back(std::string(report.source) + ": " +
                      (report.error != nullptr
                           ? report.error->ToString()
                           : std::to_string(report.set->size()) + " keys, " +
                                 std::to_string(report.set->ignored().size()) + " ignored"));
    };
  }
};

class UrlKeysTest : public testing::Test {
 protected:
  void Make(const KeyOptions& options = {}) {
    keys_ = std::make_shared<UrlKeys>(kUrl, options, fetcher_.Fetch(), log_.Observer());
  }
  Answer Find(const std::string& kid, std::int64_t now_s) { return Ask(*keys_, kid, now_s); }

  FakeFetcher fetcher_;
  Log log_;
  std::shared_ptr<UrlKeys> keys_;
};

TEST_F(UrlKeysTest, FetchesOnceAndRemembers) {
  Make();
  const Answer first = Find("a", 0);
  EXPECT_EQ(*first, "");
  EXPECT_EQ(fetcher_.urls(), std::vector<std::string>{kUrl});
  EXPECT_TRUE(fetcher_.Answer(SetOf({"a", "b"})));
  EXPECT_EQ(*first, "found");
  EXPECT_EQ(*Find("a", 1), "found");
  EXPECT_EQ(*Find("b", 3599), "found");
  EXPECT_EQ(fetcher_.count(), 1u);
  EXPECT_EQ(log_.lines, std::vector<std::string>{kUrl + ": 2 keys, 0 ignored"});
}

TEST_F(UrlKeysTest, AllWhoWaitShareOneFetch) {
  Make();
  const Answer a = Find("a", 0), b = Find("b", 0), c = Find("c", 1), late = Find("a", 100);
  EXPECT_EQ(fetcher_.count(), 1u);
  EXPECT_TRUE(fetcher_.Answer(SetOf({"a", "b"})));
  EXPECT_EQ(*late, "found");
  EXPECT_EQ(*a, "found");
  EXPECT_EQ(*b, "found");
  EXPECT_EQ(*c, "unknown-key");
  EXPECT_EQ(fetcher_.count(), 1u);
}

TEST_F(UrlKeysTest, ANewKidIsFetchedAndMadeUpKidsAreNotAgain) {
  Make();
  Find("a", 0);
  fetcher_.Answer(SetOf({"a"}));
  EXPECT_EQ(*Find("b", 59), "unknown-key");  // too soon to ask again
  EXPECT_EQ(fetcher_.count(), 1u);

  const Answer rotated = Find("b", 60);
  EXPECT_EQ(*Find("a", 60), "found");  // who needs nothing new does not wait
  EXPECT_EQ(*rotated, "");
  fetcher_.Answer(SetOf({"b"}));
  EXPECT_EQ(*rotated, "found");
  EXPECT_EQ(*Find("a", 61), "unknown-key");  // withdrawn
  for (int now = 62; now < 120; ++now) EXPECT_EQ(*Find("made-up", now), "unknown-key");
  EXPECT_EQ(fetcher_.count(), 2u);
  const Answer made_up = Find("made-up", 120);
  EXPECT_EQ(fetcher_.count(), 3u);
  fetcher_.Answer(SetOf({"b"}));
  EXPECT_EQ(*made_up, "unknown-key");
}

TEST_F(UrlKeysTest, OldKeysAreFetchedAgainBeforeTheyAreUsed) {
  Make();
  Find("a", 0);
  fetcher_.Answer(SetOf({"a"}));
  const Answer withdrawn = Find("a", 3600);
  EXPECT_EQ(*withdrawn, "");
  fetcher_.Answer(SetOf({"b"}));
  EXPECT_EQ(*withdrawn, "unknown-key");
}

TEST_F(UrlKeysTest, AnEmptySetWithdrawsAllKeys) {
  Make();
  Find("a", 0);
  fetcher_.Answer(SetOf({"a"}));
  const Answer answer = Find("a", 3600);
  fetcher_.Answer(SetOf({}));
  EXPECT_EQ(*answer, "unknown-key");
}

TEST_F(UrlKeysTest, TheLastGoodSetServesWhileFetchingFails) {
  Make();
  Find("a", 0);
  fetcher_.Answer(SetOf({"a"}));
  const Answer first = Find("a", 3600);
  EXPECT_TRUE(fetcher_.Fail());
  EXPECT_EQ(*first, "found");
  EXPECT_EQ(*Find("a", 3605), "found");  // no attempt for ten seconds
  EXPECT_EQ(*Find("b", 3605), "keys-unavailable");
  EXPECT_EQ(fetcher_.count(), 2u);
  EXPECT_EQ(*Find("a", 3610), "found");  // the next attempt keeps nobody waiting who has a key
  EXPECT_EQ(fetcher_.count(), 3u);
  const Answer unknown = Find("b", 3611);
  EXPECT_EQ(*unknown, "");
  EXPECT_TRUE(fetcher_.Answer("<html>maintenance</html>"));
  EXPECT_EQ(*unknown, "keys-unavailable");
  EXPECT_EQ(*Find("a", 86'399), "found");  // and asks
  EXPECT_TRUE(fetcher_.Fail());
  EXPECT_EQ(*Find("a", 86'400), "keys-unavailable");  // too old now
  const Answer last = Find("a", 86'410);
  EXPECT_TRUE(fetcher_.Answer(SetOf({"a"})));
  EXPECT_EQ(*last, "found");
  EXPECT_EQ(*Find("b", 86'411), "unknown-key");
}

TEST_F(UrlKeysTest, AFetchThatFailedIsNotRepeatedAtOnce) {
  Make();
  const Answer first = Find("a", 0);
  fetcher_.Fail();
  EXPECT_EQ(*first, "keys-unavailable");
  EXPECT_EQ(*Find("a", 9), "keys-unavailable");
  EXPECT_EQ(fetcher_.count(), 1u);
  const Answer second = Find("a", 10);
  EXPECT_EQ(fetcher_.count(), 2u);
  fetcher_.Answer(SetOf({"a"}));
  EXPECT_EQ(*second, "found");
  EXPECT_EQ(log_.lines, (std::vector<std::string>{kUrl + ": no peer", kUrl + ": 1 keys, 0 ignored"}));
}

TEST_F(UrlKeysTest, LimitsHold) {
  Make({.max_waiting = 2, .max_set_bytes = 600, .max_set_keys = 2});
  const Answer a = Find("a", 0), b = Find("b", 0);
  EXPECT_EQ(*Find("c", 0), "keys-unavailable");  // no room to wait
  EXPECT_TRUE(fetcher_.Answer(SetOf({"a", "b", "c"})));
  EXPECT_EQ(*a, "keys-unavailable");
  EXPECT_EQ(*b, "keys-unavailable");
  Find("a", 10);
  EXPECT_TRUE(fetcher_.Answer(SetOf({"a"}) + std::string(600, ' ')));
  const Answer good = Find("a", 20);
  EXPECT_TRUE(fetcher_.Answer(SetOf({"a"})));
  EXPECT_EQ(*good, "found");
  EXPECT_EQ(log_.lines,
            (std::vector<std::string>{kUrl + ": keys: too many keys", kUrl + ": the key set is too long",
                                      kUrl + ": 1 keys, 0 ignored"}));
}

TEST_F(UrlKeysTest, AClockThatIsSetBackStopsNothing) {
  Make();
  Find("a", 1'000'000);
  fetcher_.Answer(SetOf({"a"}));
  const Answer earlier = Find("b", 500);
  EXPECT_EQ(fetcher_.count(), 2u);
  fetcher_.Answer(SetOf({"b"}));
  EXPECT_EQ(*earlier, "found");
}

TEST_F(UrlKeysTest, AFetcherMayAnswerInline) {
  const std::string set = SetOf({"a"});
  keys_ = std::make_shared<UrlKeys>(
      kUrl, KeyOptions{},
      [&](const std::string&, const std::function<void(Result<std::string>)>& done) { done(set); },
      KeyObserver());
  EXPECT_EQ(*Find("a", 0), "found");
  EXPECT_EQ(*Find("b", 1), "unknown-key");
}

TEST_F(UrlKeysTest, AFetchOutlivesItsSource) {
  Make();
  const Answer answer = Find("a", 0);
  keys_ = nullptr;
  EXPECT_TRUE(fetcher_.Answer(SetOf({"a"})));
  EXPECT_EQ(*answer, "found");
}

TEST_F(UrlKeysTest, ConcurrentFindsAreAllAnsweredOnce) {
  constexpr int kThreads = 4, kCalls = 300;
  Make({.max_age_s = 50, .refetch_interval_s = 10});
  std::atomic<int> found{0}, refused{0}, finished{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCalls; ++i) {
        keys_->Find(i % 3 == t % 3 ? "new" : "a", std::int64_t{i} * 1000,
                    [&](const Result<VerifyingKey>& key) { ++(key ? found : refused); });
      }
      ++finished;
    });
  }
  std::size_t answers = 0;
  while (finished < kThreads) {
    if (fetcher_.Answer(SetOf({"a"}))) ++answers;
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  while (fetcher_.Answer(SetOf({"a"}))) ++answers;
  EXPECT_EQ(found + refused, kThreads * kCalls);
  EXPECT_GT(found, 0);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(fetcher_.count(), answers);
}

class FileKeysTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return dir_.path() / "jwks.json"; }

  TempDir dir_;
  Log log_;
};

TEST_F(FileKeysTest, IsReadAgainWhenItHasChanged) {
  WriteFile(file(), SetOf({"a"}));
  FileKeys keys(file(), {}, log_.Observer());
  ASSERT_TRUE(keys.Load());
  EXPECT_EQ(*Ask(keys, "a", 0), "found");
  EXPECT_EQ(*Ask(keys, "b", 0), "unknown-key");
  WriteFile(file(), SetOf({"a", "b"}));
  EXPECT_EQ(*Ask(keys, "b", 4), "unknown-key");  // not looked at again yet
  EXPECT_EQ(*Ask(keys, "b", 5), "found");
  EXPECT_EQ(*Ask(keys, "b", 100), "found");
  EXPECT_EQ(log_.lines.size(), 2u);  // it did not change again
}

TEST_F(FileKeysTest, TheLastGoodSetStays) {
  WriteFile(file(), SetOf({"a"}));
  FileKeys keys(file(), {.file_poll_s = 0}, log_.Observer());
  ASSERT_TRUE(keys.Load());
  WriteFile(file(), R"({"keys":[{"kty":7}]})");
  EXPECT_EQ(*Ask(keys, "a", 1), "found");
  EXPECT_EQ(*Ask(keys, "a", 2), "found");
  std::filesystem::remove(file());
  EXPECT_EQ(*Ask(keys, "a", 3), "found");
  EXPECT_EQ(*Ask(keys, "a", 4), "found");
  WriteFile(file(), SetOf({"b"}));
  EXPECT_EQ(*Ask(keys, "b", 5), "found");
  EXPECT_EQ(*Ask(keys, "a", 5), "unknown-key");
  const std::string name = file().string();
  EXPECT_EQ(log_.lines,
            (std::vector<std::string>{name + ": 1 keys, 0 ignored", name + ": keys[0].kty: expected a string",
                                      name + ": the file cannot be read", name + ": 1 keys, 0 ignored"}));
}

TEST_F(FileKeysTest, SaysWhatIsWrongWithIt) {
  FileKeys missing(dir_.path() / "none.json", {}, {});
  EXPECT_EQ(missing.Load().error().code, Code::kNotFound);
  EXPECT_EQ(*Ask(missing, "a", 0), "keys-unavailable");
  FileKeys folder(dir_.path(), {}, {});
  EXPECT_FALSE(folder.Load());
  WriteFile(file(), R"({"keys":[{"kty":"EC","kid":"a","crv":"P-256","x":"AAAA","y":"AAAA"}]})");
  FileKeys broken(file(), {}, {});
  const Status status = broken.Load();
  EXPECT_EQ(status.error().path, "keys[0].x");
  EXPECT_EQ(status.error().span.file, file().string());
  FileKeys large(file(), {.max_set_bytes = 10}, {});
  EXPECT_EQ(large.Load().error().code, Code::kLimit);
}

}  // namespace
}  // namespace stepwise::trust
