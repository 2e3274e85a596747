// JsonWriter: appends compact JSON to one string, for answers that carry FHIR JSON as it was written.
//
//   JsonWriter json;
//   json.BeginObject();
//   json.Text("summary", card.summary);            // left out when empty
//   json.Key("resource"); json.Raw(action.resource);  // spliced: 1.50 stays 1.50
//   json.EndObject();
//   json.Take() -> {"summary":"...","resource":{"doseQuantity":{"value":1.50}}}
//
// Why not nlohmann_json here: it reads numbers into doubles, so an embedded 1.50 would come out as 1.5.
// CDS Hooks bans null, "", [] and {} in answers: Text() leaves empty text out; callers open an object or an
// array only when something goes in.
// Thread-safety: none; one writer, one thread.
#ifndef STEPWISE_CDS_HOOKS_JSON_WRITER_H_
#define STEPWISE_CDS_HOOKS_JSON_WRITER_H_

#include <string>
#include <string_view>
#include <utility>

namespace stepwise::cds_hooks {

class JsonWriter {
 public:
  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }

  void Key(std::string_view name);
  void String(std::string_view text);  // quoted and escaped; bytes that are not UTF-8 become U+FFFD
  void Raw(std::string_view json);     // must be one whole JSON value
  void Boolean(bool value) { Raw(value ? "true" : "false"); }

  // Key and string, or nothing when the text is empty.
  void Text(std::string_view key, std::string_view text);

  std::string Take() { return std::move(out_); }

 private:
  void Separate();
  void Open(char bracket);
  void Close(char bracket);

  std::string out_;
  bool comma_ = false;  // a value stands before: the next one needs a comma
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_JSON_WRITER_H_
