// A FetchText that answers when a test says so.
//
//   FakeFetcher fetcher;
//   UrlKeys keys(url, options, fetcher.Fetch(), {});
//   ...                                    // fetcher.urls: what was asked for
//   fetcher.Answer(jwk_set_text);          // the oldest question that is open
//
// Thread-safety: all of it may be used from many threads at once.
#ifndef STEPWISE_TESTS_CDS_HOOKS_FAKE_FETCHER_H_
#define STEPWISE_TESTS_CDS_HOOKS_FAKE_FETCHER_H_

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cds_hooks/trust/key_source.h"

namespace stepwise::trust {

class FakeFetcher {
 public:
  ~FakeFetcher() { state_->open.clear(); }  // they own who asked, who owns Fetch(), which owns them

  FetchText Fetch() {
    return [state = state_](const std::string& url, std::function<void(Result<std::string>)> done) {
      const std::scoped_lock lock(state->mutex);
      state->urls.push_back(url);
      state->open.push_back(std::move(done));
    };
  }

  std::vector<std::string> urls() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->urls;
  }
  std::size_t count() const { return urls().size(); }

  // On this thread. false: nothing was asked for.
  bool Answer(Result<std::string> text) {
    std::function<void(Result<std::string>)> done;
    {
      const std::scoped_lock lock(state_->mutex);
      if (state_->open.empty()) return false;
      done = std::move(state_->open.front());
      state_->open.pop_front();
    }
    done(std::move(text));
    return true;
  }
  bool Fail() { return Answer(tl::unexpected(Error{Code::kUnavailable, "no peer"})); }

 private:
  struct State {
    mutable std::mutex mutex;
    std::vector<std::string> urls;
    std::deque<std::function<void(Result<std::string>)>> open;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace stepwise::trust

#endif  // STEPWISE_TESTS_CDS_HOOKS_FAKE_FETCHER_H_
