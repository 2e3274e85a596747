// JsonReader: reads foreign JSON by name and remembers what was read, so that what nobody asked for can be
// listed afterwards: nothing is dropped in silence.
//
//   JsonReader reader(tree, "PlanDefinition/x");
//   JsonElement root = reader.root();
//   std::string title = root.Text("title");          // wrong kind: an error with the path
//   for (JsonElement action : root.List("action")) ...
//   for (const JsonLeftover& rest : reader.Leftovers()) ...   // "action[0].timingDateTime", "2026-01-01"
//
// Asking for a text, a boolean or a number takes it; asking for an object or a list takes nothing by itself.
// Not thread-safe; the tree must outlive the reader.
#ifndef STEPWISE_RULES_JSON_READER_H_
#define STEPWISE_RULES_JSON_READER_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "rules/schema_reader.h"

namespace stepwise::rules {

struct JsonLeftover {
  std::string path;
  std::string value;  // shortened
};

class JsonReader;

// One value, or none: then every question has an empty answer.
class JsonElement {
 public:
  JsonElement(JsonReader* reader, const nlohmann::json* value, std::string path)
      : reader_(reader), value_(value), path_(std::move(path)) {}

  explicit operator bool() const { return value_ != nullptr; }
  const std::string& path() const { return path_; }
  const nlohmann::json* json() const { return value_; }
  bool Has(const std::string& key) const;

  // Takes it. "" when absent; another kind is an error.
  std::string Text(const std::string& key) const;
  bool Boolean(const std::string& key, bool fallback) const;
  std::int64_t Integer(const std::string& key, std::int64_t fallback) const;
  // The text, when it is there, without taking it.
  std::string Peek(const std::string& key) const;
  JsonElement Object(const std::string& key) const;
  JsonElement Child(const std::string& key) const;  // of any kind
  std::vector<JsonElement> List(const std::string& key) const;
  // Takes the value and all below it.
  void TakeAll() const;
  void Fail(std::string message) const;

 private:
  const nlohmann::json* Find(const std::string& key) const;
  std::string Below(const std::string& key) const { return path_ + "." + key; }

  JsonReader* reader_;
  const nlohmann::json* value_;
  std::string path_;
};

class JsonReader {
 public:
  JsonReader(const nlohmann::json& tree, std::string path, Errors* errors)
      : tree_(tree), path_(std::move(path)), errors_(errors) {}

  JsonElement root() { return {this, &tree_, path_}; }
  std::vector<JsonLeftover> Leftovers() const;

 private:
  friend class JsonElement;
  bool AnyTaken(const nlohmann::json& value) const;
  void Collect(const nlohmann::json& value, const std::string& path, std::vector<JsonLeftover>* out) const;

  const nlohmann::json& tree_;
  std::string path_;
  Errors* errors_;
  std::unordered_set<const nlohmann::json*> taken_, whole_;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_JSON_READER_H_
