#include "rules/json_reader.h"

#include <algorithm>

#include "rules/fhir_form.h"

namespace stepwise::rules {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxShown = 120;

std::string Shown(const Json& value) {
  std::string out = CanonicalJson(value);
  return out.size() <= kMaxShown ? out : out.substr(0, kMaxShown - 3) + "...";
}

}  // namespace

const Json* JsonElement::Find(const std::string& key) const {
  if (value_ == nullptr) return nullptr;
  if (!value_->is_object()) {
    Fail("is not an object");
    return nullptr;
  }
  const auto found = value_->find(key);
  return found == value_->end() ? nullptr : &*found;
}

bool JsonElement::Has(const std::string& key) const {
  return value_ != nullptr && value_->is_object() && value_->contains(key);
}

std::string JsonElement::Peek(const std::string& key) const {
  if (!Has(key) || !(*value_)[key].is_string()) return "";
  return (*value_)[key].get<std::string>();
}

std::string JsonElement::Text(const std::string& key) const {
  const Json* value = Find(key);
  if (value == nullptr) return "";
  reader_->taken_.insert(value);
  if (value->is_string()) return value->get<std::string>();
  JsonElement(reader_, value, Below(key)).Fail("is not text");
  return "";
}

bool JsonElement::Boolean(const std::string& key, bool fallback) const {
  const Json* value = Find(key);
  if (value == nullptr) return fallback;
  reader_->taken_.insert(value);
  if (value->is_boolean()) return value->get<bool>();
  JsonElement(reader_, value, Below(key)).Fail("is not true or false");
  return fallback;
}

std::int64_t JsonElement::Integer(const std::string& key, std::int64_t fallback) const {
  const Json* value = Find(key);
  if (value == nullptr) return fallback;
  reader_->taken_.insert(value);
  if (value->is_number_integer()) return value->get<std::int64_t>();
  JsonElement(reader_, value, Below(key)).Fail("is not a whole number");
  return fallback;
}

JsonElement JsonElement::Child(const std::string& key) const { return {reader_, Find(key), Below(key)}; }

JsonElement JsonElement::Object(const std::string& key) const {
  const Json* value = Find(key);
  JsonElement out(reader_, value, Below(key));
  if (value == nullptr || value->is_object()) return out;
  out.Fail("is not an object");
  return {reader_, nullptr, out.path_};
}

std::vector<JsonElement> JsonElement::List(const std::string& key) const {
  std::vector<JsonElement> out;
  const Json* value = Find(key);
  if (value == nullptr) return out;
  if (!value->is_array()) {
    JsonElement(reader_, value, Below(key)).Fail("is not a list");
    return out;
  }
  for (const Json& entry : *value) {
    JsonElement element(reader_, &entry, Below(key) + "[" + std::to_string(out.size()) + "]");
    if (!entry.is_object()) {
      element.Fail("is not an object");
      element.value_ = nullptr;
    }
    out.push_back(std::move(element));
  }
  return out;
}

void JsonElement::TakeAll() const {
  if (value_ != nullptr) reader_->whole_.insert(value_);
}

void JsonElement::Fail(std::string message) const {
  const bool known = std::ranges::any_of(*reader_->errors_, [&](const Error& error) {
    return error.path == path_ && error.message.starts_with(message);
  });
  if (known) return;
  reader_->errors_->push_back({.code = Code::kInvalidArgument,
                               .message = message + (value_ == nullptr ? "" : ": " + Shown(*value_)),
                               .path = path_});
}

bool JsonReader::AnyTaken(const Json& value) const {
  if (taken_.contains(&value) || whole_.contains(&value)) return true;
  return value.is_structured() &&
         std::ranges::any_of(value, [&](const Json& child) { return AnyTaken(child); });
}

void JsonReader::Collect(const Json& value, const std::string& path, std::vector<JsonLeftover>* out) const {
  if (taken_.contains(&value) || whole_.contains(&value)) return;
  if (!value.is_structured() || !AnyTaken(value)) {
    out->push_back({path, Shown(value)});
    return;
  }
  if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      Collect(value[i], std::string(path).append("[").append(std::to_string(i)).append("]"), out);
    return;
  }
  for (const auto& [key, child] : value.items()) Collect(child, path + "." + key, out);
}

std::vector<JsonLeftover> JsonReader::Leftovers() const {
  std::vector<JsonLeftover> out;
  Collect(tree_, path_, &out);
  return out;
}

}  // namespace stepwise::rules
