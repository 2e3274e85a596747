#include "fhir/rest/allow_list.h"

#include <algorithm>

namespace stepwise::rest {

Result<AllowList> AllowList::Make(std::span<const std::string> servers) {
  AllowList list;
  for (const std::string& server : servers) {
    Result<Url> url = ParseUrl(server);
    if (url && !url->query.empty()) url = Fail(Code::kInvalidArgument, "the URL has a query");
    if (!url) return Fail(Code::kInvalidArgument, "server `" + server + "`: " + url.error().message);
    list.servers_.push_back(std::move(*url));
  }
  return list;
}

bool AllowList::Allows(const Url& url) const {
  return std::any_of(servers_.begin(), servers_.end(), [&](const Url& server) { return server.Covers(url); });
}

}  // namespace stepwise::rest
