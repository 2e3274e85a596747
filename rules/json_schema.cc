#include "rules/json_schema.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "fhir/json_text.h"

namespace stepwise::rules {
namespace {

using Json = nlohmann::ordered_json;

// As YAML sees an unquoted scalar: 1 is a number there and a text here.
Json Scalar(std::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  return IsJsonNumber(text) ? Json::parse(text) : Json(text);
}

Json Text(const KeySchema& key) {
  if (key.allowed.empty()) return {{"type", {"string", "number", "boolean"}}};
  Json words = Json::array();
  for (const std::string_view word : key.allowed) {
    words.push_back(word);
    if (const Json plain = Scalar(word); !plain.is_string()) words.push_back(plain);
  }
  return {{"enum", std::move(words)}};
}

Json Reference(const ObjectSchema& object) { return {{"$ref", "#/definitions/" + std::string(object.name)}}; }

Json Item(const KeySchema& key) {
  if (key.item == ValueKind::kText) return Text(key);
  if (key.object == nullptr) return true;
  if (!key.or_text) return Reference(*key.object);
  return {{"anyOf", Json::array({Text(key), Reference(*key.object)})}};
}

Json Value(const KeySchema& key) {
  switch (key.kind) {
    case ValueKind::kAny: return Json::object();
    case ValueKind::kText: return Text(key);
    case ValueKind::kBoolean: return {{"type", "boolean"}};
    case ValueKind::kInteger: return {{"type", "integer"}};
    case ValueKind::kDate: return {{"type", "string"}, {"pattern", "^\\d{4}-\\d{2}-\\d{2}$"}};
    case ValueKind::kTexts: {
      const Json list = {{"type", "array"}, {"items", Text(key)}};
      return {{"anyOf", Json::array({Text(key), list})}};
    }
    case ValueKind::kList: return {{"type", "array"}, {"items", Item(key)}};
    case ValueKind::kMap: return {{"type", "object"}, {"additionalProperties", Item(key)}};
    case ValueKind::kObject: return {{"allOf", Json::array({Reference(*key.object)})}};
  }
  return true;
}

// An optional key without a value counts as absent.
Json OrNothing(Json value) {
  const Json nothing = {{"type", "null"}};
  if (value.contains("enum")) {
    value["enum"].push_back(nullptr);
  } else if (value.contains("anyOf")) {
    value["anyOf"].push_back(nothing);
  } else if (value.contains("allOf")) {
    return {{"anyOf", Json::array({value["allOf"][0], nothing})}};
  } else if (value.contains("type")) {
    if (!value["type"].is_array()) value["type"] = Json::array({value["type"]});
    value["type"].push_back("null");
  }
  return value;
}

void Define(const ObjectSchema& object, Json* definitions) {
  if (definitions->contains(object.name)) return;
  Json properties = Json::object(), required = Json::array();
  (*definitions)[std::string(object.name)] = nullptr;  // keeps its place; objects do not hold themselves
  for (const KeySchema& key : object.keys) {
    Json value = key.required ? Value(key) : OrNothing(Value(key));
    value["description"] = key.doc;
    if (!key.fallback.empty()) value["default"] = Scalar(key.fallback);
    properties[std::string(key.name)] = std::move(value);
    if (key.required) required.push_back(key.name);
    if (key.object != nullptr) Define(*key.object, definitions);
  }
  Json out = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) out["required"] = std::move(required);
  out["additionalProperties"] = object.others.empty() ? Json(false) : Json({{"description", object.others}});
  (*definitions)[std::string(object.name)] = std::move(out);
}

}  // namespace

std::string JsonSchemaName(const FileSchema& file) { return std::string(file.name) + ".schema.json"; }

std::string JsonSchema(const FileSchema& file) {
  Json definitions = Json::object();
  Define(*file.object, &definitions);
  Json out;
  out["$schema"] = "http://json-schema.org/draft-07/schema#";
  out["$comment"] = "Made by `stepwise pack schema`; change rules/pack_schema.cc instead.";
  out["title"] = "Stepwise " + std::string(file.files);
  out["description"] = file.doc;
  out["allOf"] = Json::array({Reference(*file.object)});
  out["definitions"] = std::move(definitions);
  return out.dump(2) + "\n";
}

Status WriteJsonSchemas(const std::string& dir) {
  std::error_code code;
  std::filesystem::create_directories(dir, code);
  for (const FileSchema& file : FileSchemas()) {
    const std::string path = dir + "/" + JsonSchemaName(file);
    std::ofstream out(path, std::ios::binary);
    out << JsonSchema(file);
    if (!out.flush()) return Fail(Code::kUnavailable, "cannot be written", {.file = path});
  }
  return {};
}

}  // namespace stepwise::rules
