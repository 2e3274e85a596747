// BundlePages: the pages of one search, put together into one Bundle.
//
//   BundlePages pages;
//   STEPWISE_RETURN_IF_ERROR(pages.Add(first));       // bytes of a Bundle
//   while (!pages.next().empty()) ... pages.Add(...)  // whatever next() leads to
//   std::string bundle = pages.Merged();
//
// One page comes back as it was written. Of several, the result has what the first says (id, total, type,
// ...) and the entries of all in their order, as raw JSON: nothing is read into a double and written again.
// An entry that came before, by fullUrl, type and id, is left out: pages overlap when data change between two
// requests. A page not read shows: the link to it (relation next) stays in the Bundle.
// Errors: kSyntax for what is no JSON, kInvalidArgument for what is no Bundle; nothing of the page is
// repeated. After an error the pages that were added before still stand. Source: FHIR R4, "Search", "Paging".
// Thread-safety: not shared between threads.
#ifndef STEPWISE_FHIR_REST_BUNDLE_PAGES_H_
#define STEPWISE_FHIR_REST_BUNDLE_PAGES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>

#include "fhir/document.h"
#include "fhir/result.h"

namespace stepwise::rest {

class BundlePages {
 public:
  Status Add(std::string page, const DocumentLimits& limits = {});

  std::size_t count() const { return count_; }
  std::size_t entries() const { return entry_count_; }  // without those left out
  // Link to the page after the last that was added, as written; "" when there is none.
  const std::string& next() const { return next_; }
  std::string Merged() const;  // "" when nothing was added

 private:
  std::string first_;  // the first page as it was written
  // Raw JSON, each with a comma after every part.
  std::string head_;       // members of the first page but link and entry
  std::string links_;      // of the first page, but to other pages
  std::string entries_;    // of all pages
  std::string next_link_;  // object of the last page, or ""
  std::string next_;
  std::size_t count_ = 0, entry_count_ = 0;
  std::unordered_set<std::string> seen_;  // fullUrl, type and id of the entries
};

}  // namespace stepwise::rest

#endif  // STEPWISE_FHIR_REST_BUNDLE_PAGES_H_
