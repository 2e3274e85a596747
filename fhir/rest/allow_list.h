// AllowList: the servers that may be called, as base URLs.
//
//   AllowList list = *AllowList::Make({"https://fhir.example.org/r4"});
//   list.Allows(*ParseUrl("https://FHIR.example.org:443/r4/Patient/1"))    // true
//   list.Allows(*ParseUrl("https://fhir.example.org.evil.com/r4"))         // false, as is ".../r4evil"
//
// URLs are compared by their parsed parts: scheme, host, port, and whole segments of the path. An http URL is
// allowed only where the list itself says http. An empty list allows nothing.
// Thread-safety: immutable after Make.
#ifndef STEPWISE_FHIR_REST_ALLOW_LIST_H_
#define STEPWISE_FHIR_REST_ALLOW_LIST_H_

#include <span>
#include <string>
#include <vector>

#include "fhir/rest/url.h"

namespace stepwise::rest {

class AllowList {
 public:
  // Errors: kInvalidArgument for what is no URL, or has a query; the message repeats the entry.
  static Result<AllowList> Make(std::span<const std::string> servers);

  bool Allows(const Url& url) const;

 private:
  std::vector<Url> servers_;
};

}  // namespace stepwise::rest

#endif  // STEPWISE_FHIR_REST_ALLOW_LIST_H_
