#include "rules/fhir_form.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cassert>

#include "rules/digest.h"

namespace stepwise::rules {
namespace {

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

FhirForm::FhirForm(const Pack& pack)
    : base_(pack.canonical.substr(0, pack.canonical.find("/ImplementationGuide/"))) {
  while (base_.ends_with('/')) base_.pop_back();
}

std::string FhirForm::Canonical(std::string_view type, std::string_view id) const {
  return base_ + "/" + std::string(type) + "/" + std::string(id);
}

FhirForm::Json FhirForm::Extension(std::string_view name, std::string_view value_key, Json value) const {
  assert(std::ranges::find(kExtensions, name, &ExtensionName::name) != std::end(kExtensions));
  return {{"url", base_ + std::string(kExtensionPart) + std::string(name)},
          {std::string(value_key), std::move(value)}};
}

std::string FhirId(std::string_view text) {
  std::string out;
  for (const char c : text) out += IsAlphanumeric(c) || c == '.' ? c : '-';
  if (out.size() <= 64 && !out.empty()) return out;
  return out.substr(0, 40) + "-" + DigestOf(text).substr(7, 16);
}

std::string FhirName(std::string_view text) {
  std::string out;
  for (const char c : text) out += IsAlphanumeric(c) ? c : '_';
  if (out.empty() || out[0] == '_' || (out[0] >= '0' && out[0] <= '9')) out.insert(0, "P");
  return out.substr(0, 255);
}

std::string CanonicalJson(const nlohmann::json& value) {
  // Object keys are sorted by nlohmann::json itself; bytes that are not UTF-8 cannot stand in JSON.
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

Result<std::string> FromBase64(std::string_view text) {
  const auto fail = [] { return Fail(Code::kSyntax, "not base64"); };
  const bool good = text.size() % 4 == 0 && text.size() < (1u << 30) &&
                    std::ranges::all_of(text.substr(0, text.find('=')),
                                        [](char c) { return IsAlphanumeric(c) || c == '+' || c == '/'; });
  if (!good) return fail();
  std::string out(text.size() / 4 * 3 + 1, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return fail();
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<std::size_t>(size) - padding);
  if (Base64(out) != text) return fail();  // one text for one content
  return out;
}

nlohmann::json Coded(std::string_view system, std::string_view code) {
  return {{"coding", nlohmann::json::array({{{"system", system}, {"code", code}}})}};
}

void SetText(nlohmann::json* object, const char* key, const std::string& text) {
  if (!text.empty()) (*object)[key] = text;
}

}  // namespace stepwise::rules
