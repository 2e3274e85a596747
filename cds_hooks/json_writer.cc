#include "cds_hooks/json_writer.h"

#include "fhir/json_text.h"

namespace stepwise::cds_hooks {
void JsonWriter::Separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

void JsonWriter::Open(char bracket) {
  Separate();
  out_ += bracket;
  comma_ = false;
}

void JsonWriter::Close(char bracket) {
  out_ += bracket;
  comma_ = true;
}

void JsonWriter::Key(std::string_view name) {
  String(name);
  out_ += ':';
  comma_ = false;
}

void JsonWriter::String(std::string_view text) {
  Separate();
  AppendJsonString(text, out_);
}

void JsonWriter::Raw(std::string_view json) {
  Separate();
  out_ += json;
}

void JsonWriter::Text(std::string_view key, std::string_view text) {
  if (text.empty()) return;
  Key(key);
  String(text);
}

}  // namespace stepwise::cds_hooks
