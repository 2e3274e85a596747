// Whatever the strict parser accepts, libcurl reads the same way: scheme, host, port and path. What the
// allow-list lets through goes to the server it names, also when it was resolved as a reference.
#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/rest/address_guard.h"
#include "fhir/rest/allow_list.h"
#include "fhir/rest/interaction.h"
#include "fhir/rest/url.h"

using stepwise::Result;
using stepwise::rest::AllowList;
using stepwise::rest::Url;

namespace {

std::string Part(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return "";
  std::string out(text);
  curl_free(text);
  return out;
}

std::string_view WithoutBrackets(std::string_view host) {
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

// libcurl leaves the case as it is, and the spelling of addresses.
bool SameHost(std::string_view a, std::string_view b) {
  const auto address = stepwise::rest::ParseAddress(WithoutBrackets(a));
  if (address && address == stepwise::rest::ParseAddress(WithoutBrackets(b))) return true;
  return a.size() == b.size() && curl_strnequal(a.data(), b.data(), a.size()) != 0;
}

void CheckWithCurl(const Url& url, std::string_view text) {
  CURLU* const curl = curl_url();
  if (curl_url_set(curl, CURLUPART_URL, std::string(text).c_str(), CURLU_PATH_AS_IS) != CURLUE_OK)
    std::abort();
  if (Part(curl, CURLUPART_SCHEME, 0) != url.scheme || !SameHost(Part(curl, CURLUPART_HOST, 0), url.host) ||
      Part(curl, CURLUPART_PORT, CURLU_DEFAULT_PORT) != std::to_string(url.port) ||
      Part(curl, CURLUPART_PATH, 0) != (url.path.empty() ? "/" : url.path) ||
      !Part(curl, CURLUPART_USER, 0).empty() || !Part(curl, CURLUPART_FRAGMENT, 0).empty()) {
    std::abort();
  }
  curl_url_cleanup(curl);
}

void Check(const Result<Url>& url, const AllowList& list) {
  if (!url) {
    if (url.error().message.empty()) std::abort();
    return;
  }
  const std::string text = url->Text();
  CheckWithCurl(*url, text);
  const Result<Url> again = stepwise::rest::ParseUrl(text);
  // Encoding and writing the port out may make the text longer than is allowed.
  if (!again && text.size() <= stepwise::rest::kMaxUrlBytes) std::abort();
  if (again && again->Text() != (url->path.empty() && !url->query.empty() ? again->Text() : text))
    std::abort();
  if (!list.Allows(*url)) return;
  const bool first = url->scheme == "https" && url->host == "fhir.example.org" && url->port == 443;
  const bool second = url->scheme == "http" && url->host == "[::1]" && url->port == 8080;
  if (!(first && (url->path + "/").starts_with("/r4/")) && !second) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const AllowList list =
      *AllowList::Make(std::vector<std::string>{"https://fhir.example.org/r4", "http://[::1]:8080"});
  static const Url base = *stepwise::rest::ParseUrl("https://fhir.example.org/r4/");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<Url> url = stepwise::rest::ParseUrl(text);
  Check(url, list);
  // As written it means the same to libcurl, unless the query has bytes that it does not take.
  if (url && text.find('?') == std::string_view::npos) CheckWithCurl(*url, text);
  Check(stepwise::rest::ResolveUrl(base, text), list);

  const auto interaction = stepwise::rest::ReadInteraction(text);
  if (interaction) {
    Url asked = base;
    asked.path += interaction->type + (interaction->is_read() ? "/" + interaction->id : "");
    asked.query = interaction->query;
    if (asked.Text().size() <= stepwise::rest::kMaxUrlBytes &&
        !list.Allows(*stepwise::rest::ParseUrl(asked.Text()))) {
      std::abort();
    }
  }
  return 0;
}
