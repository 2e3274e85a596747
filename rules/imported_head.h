// ImportedHead: what FHIR resources say about the pack that they become: its name, version, people, period.
//
//   ImportedHead head;
//   head.Guide(guide);                 // an ImplementationGuide, where there is one
//   head.Metadata(plan);               // of each resource
//   head.Text()                        // the beginning of pack.yaml
//
// The first resource that says something says it for the pack; what others say differently is not taken, so
// that it is listed. A pack that is imported is a draft, whatever its resources were. Not thread-safe.
#ifndef STEPWISE_RULES_IMPORTED_HEAD_H_
#define STEPWISE_RULES_IMPORTED_HEAD_H_

#include <map>
#include <string>
#include <vector>

#include "rules/json_reader.h"

namespace stepwise::rules {

class ImportedHead {
 public:
  void Guide(const JsonElement& guide);
  void Metadata(const JsonElement& resource);
  // What a PlanDefinition says where nothing else did.
  void SuggestId(const std::string& id);
  void SuggestTitle(const std::string& title);
  void SuggestCanonical(const std::string& plan_url);

  void set_id(const std::string& id) { id_ = id; }
  void set_version(const std::string& version) { version_ = version; }
  const std::string& id() const { return id_; }
  const std::string& required() const { return requires_; }  // entries of `requires`
  std::string Text() const;

 private:
  void Take(const JsonElement& resource, const std::string& key, std::string* value);
  void People(const JsonElement& resource, const std::string& role);

  std::string id_, canonical_, version_, title_, description_, publisher_, copyright_, from_, to_, requires_;
  bool experimental_ = false;
  std::int64_t precedence_ = 0;
  std::map<std::string, std::vector<std::string>> people_;  // role -> flow maps
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_IMPORTED_HEAD_H_
