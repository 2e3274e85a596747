// Whatever pages a server sends, what is put together is JSON again, with the entries that were counted and a
// link to a next page exactly where one is left. The input is cut into pages at line feeds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fhir/document.h"
#include "fhir/rest/bundle_pages.h"

using stepwise::Document;
using stepwise::Node;
using stepwise::rest::BundlePages;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  BundlePages pages;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::size_t before = pages.count();
    const auto added = pages.Add(std::string(rest.substr(0, end)));
    if (added ? pages.count() != before + 1 : pages.count() != before || added.error().message.empty())
      std::abort();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (pages.count() == 0) {
    if (!pages.Merged().empty()) std::abort();
    return 0;
  }
  const auto merged = Document::Parse(pages.Merged());
  if (!merged || merged->root().Child("resourceType").string() != "Bundle") std::abort();
  std::size_t entries = 0;
  std::string_view next;
  for (const Node child : merged->root().children()) {
    entries += child.name() == stepwise::names::kEntry;
    if (child.name() != stepwise::names::kLink) continue;
    const Node relation = child.Child("relation"), url = child.Child("url");
    if (relation && relation.string() == "next") next = url ? url.string() : "";
  }
  if (next != pages.next()) std::abort();
  // One page stays as it was written, with what it says twice.
  if (pages.count() > 1 ? entries != pages.entries() : entries < pages.entries()) std::abort();

  // Pages that say the same add nothing.
  const std::size_t count = pages.entries();
  bool known = true;
  for (const Node child : merged->root().children()) {
    if (child.name() == stepwise::names::kEntry)
      known = known && child.Child("fullUrl") && !child.Child("fullUrl").string().empty();
  }
  if (!pages.Add(std::string(merged->bytes())) || (known && pages.entries() != count)) std::abort();
  if (!Document::Parse(pages.Merged())) std::abort();
  return 0;
}
