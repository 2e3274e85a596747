// What parses as a document has raw text that parses to the same tree; every node can say where it stands.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "fhir/document.h"

using stepwise::Document;
using stepwise::Node;

namespace {

void CheckNodes(const Document& document, const Document& again) {
  for (std::uint32_t i = 0; i < document.node_count(); ++i) {
    const Node a = document.node(i), b = again.node(i);
    if (a.kind() != b.kind() || a.name_text() != b.name_text() || a.text() != b.text() ||
        a.json() != b.json() || a.resource_type() != b.resource_type() || a.in_array() != b.in_array()) {
      std::abort();
    }
  }
}

void CheckTree(Node node, int* paths) {
  if (--*paths > 0 && (node.Path().empty() || node.PathInResource().empty())) std::abort();
  for (const Node child : node.children()) {
    if (child.parent() != node) std::abort();
    CheckTree(child, paths);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document = Document::Parse(std::string(reinterpret_cast<const char*>(data), size));
  if (!document) {
    if (document.error().message.empty()) std::abort();
    return 0;
  }
  const auto again = Document::Parse(std::string(document->root().json()));
  if (!again || again->node_count() != document->node_count()) std::abort();
  CheckNodes(*document, *again);
  int paths = 64;  // a path costs its siblings
  CheckTree(document->root(), &paths);
  return 0;
}
