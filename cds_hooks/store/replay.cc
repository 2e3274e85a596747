#include "cds_hooks/store/replay.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "cds_hooks/card.h"
#include "cds_hooks/store/record.h"
#include "rules/decision_proto.h"
#include "rules/digest.h"

namespace stepwise::cds_hooks {
namespace {

std::string NameOf(const store::v1::Pack& pack) {
  return "pack " + pack.id() + " " + pack.version() + " (" + pack.digest() + ")";
}

void ComparePacks(const DecisionRecord& record, const rules::Decision& decision,
                  std::vector<std::string>* differences) {
  std::set<std::string> used;
  for (const rules::PackRef& ref : decision.packs) used.insert(ref.digest);
  for (const store::v1::Pack& pack : record.packs()) {
    if (!used.contains(pack.digest()))
      differences->push_back(NameOf(pack) + " was used then and is not now: is it loaded?");
  }
  if (differences->empty() && decision.packs.size() != static_cast<std::size_t>(record.packs_size()))
    differences->push_back("other packs are used now than then");
}

std::vector<std::string> Lines(const std::string& json) {
  const auto parsed = nlohmann::ordered_json::parse(json, nullptr, /*allow_exceptions=*/false);
  std::istringstream text(
      parsed.is_discarded() ? json : parsed.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  std::vector<std::string> out;
  for (std::string line; std::getline(text, line);) out.push_back(line);
  return out;
}

}  // namespace

Result<Replayed> Replay(const DecisionRecord& record, const Sealer& sealer, rules::Evaluator& evaluator) {
  if (record.sealed_input().empty()) {
    return Fail(Code::kFailedPrecondition,
                "the input of this decision was not kept, or has been purged: it cannot be replayed");
  }
  STEPWISE_ASSIGN_OR_RETURN(const std::string bytes,
                            sealer.Open(InputOf(record.id()), record.sealed_input()));
  store::v1::Input input;
  if (!input.ParseFromString(bytes)) return Fail(Code::kInternal, "the input cannot be read");
  STEPWISE_ASSIGN_OR_RETURN(rules::EvaluateOptions how, rules::FromProto(input.how()));
  how.exact_packs.clear();
  for (const store::v1::Pack& pack : record.packs()) {
    if (pack.spoke()) how.exact_packs.push_back(pack.digest());
  }
  const auto now = DateTime::ParseDateTime(record.now());
  if (!now) return Fail(Code::kInternal, "the time of the decision cannot be read");
  DocumentLimits limits;  // it was within those of the service
  limits.max_bytes = std::max(limits.max_bytes, input.request().size());
  STEPWISE_ASSIGN_OR_RETURN(const Document document, Document::Parse(input.request(), limits));
  const Result<rules::Decision> decision = evaluator.Evaluate(document, *now, how);
  if (!decision) {
    for (const store::v1::Pack& pack : record.packs()) {
      if (decision.error().code == Code::kNotFound &&
          decision.error().message.find(pack.digest()) != std::string::npos)
        return Fail(Code::kNotFound, NameOf(pack) + " is not loaded");
    }
    return tl::unexpected(decision.error());
  }

  Replayed out;
  out.response = CardsJson(*decision);
  if (!record.sealed().empty()) {
    STEPWISE_ASSIGN_OR_RETURN(const std::string sealed, sealer.Open(AnswerOf(record.id()), record.sealed()));
    store::v1::Answer answer;
    if (answer.ParseFromString(sealed)) out.recorded = answer.response();
  }
  if (rules::DigestOf(out.response) == record.response_digest()) return out;
  ComparePacks(record, *decision, &out.differences);
  if (decision->input_digest != record.input_digest())
    out.differences.push_back("the input is not the one that was answered");
  out.differences.push_back("the answer has other bytes than the recorded one");
  return out;
}

std::string DiffLines(const std::string& before, const std::string& after) {
  const std::vector<std::string> left = Lines(before), right = Lines(after);
  const std::size_t shorter = std::min(left.size(), right.size());
  std::size_t same = 0, same_end = 0;
  while (same < shorter && left[same] == right[same]) ++same;
  while (same_end < shorter - same && left[left.size() - 1 - same_end] == right[right.size() - 1 - same_end])
    ++same_end;
  std::string out;
  for (std::size_t i = same; i + same_end < left.size(); ++i) out += "- " + left[i] + "\n";
  for (std::size_t i = same; i + same_end < right.size(); ++i) out += "+ " + right[i] + "\n";
  return out;
}

}  // namespace stepwise::cds_hooks
