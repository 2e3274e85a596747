#include "rules/test_expectation.h"

#include <algorithm>
#include <charconv>

namespace stepwise::rules {
namespace {

std::string BareId(const std::string& reference) { return reference.substr(reference.rfind('/') + 1); }

template <typename Texts>
std::string List(const Texts& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return "[" + out + "]";
}

std::string Quoted(std::string_view text) { return "`" + std::string(text) + "`"; }

// Compares what a decision says about one rule with an expectation.
class Judge {
 public:
  Judge(const Decision& decision, const Rule& rule, const std::string& pack) : rule_(rule) {
    for (const RuleOutcome& outcome : decision.rules) {
      if (outcome.rule == rule.id && outcome.pack == pack) outcomes_.push_back(&outcome);
    }
    for (const Card& card : decision.cards) {
      for (const RuleOutcome* outcome : outcomes_) {
        const bool same =
            outcome->status == RuleStatus::kFired && card.subject == outcome->subject && card.pack == pack;
        if (same && card.topic.display == rule.title) cards_.push_back(&card);
      }
    }
  }

  std::vector<TestFailure> Check(const Expectation& expected) {
    Fires(expected);
    Deciding(expected);
    Lines(expected.lines_true, Outcome::kTrue);
    Lines(expected.lines_false, Outcome::kFalse);
    Lines(expected.lines_unknown, Outcome::kUnknown);
    if (expected.cards && static_cast<std::size_t>(*expected.cards) != cards_.size())
      Differ("cards", std::to_string(*expected.cards), std::to_string(cards_.size()));
    CardTexts(expected);
    if (expected.status != "failed") {
      for (const RuleOutcome* outcome : outcomes_) {
        if (outcome->status == RuleStatus::kFailed)
          failures_.push_back({"the rule failed: " + outcome->error, "", ""});
      }
    }
    return std::move(failures_);
  }

 private:
  void Differ(std::string_view key, const std::string& expected, const std::string& got) {
    failures_.push_back({"", std::string(key) + ": " + expected, std::string(key) + ": " + got});
  }

  void Fires(const Expectation& expected) {
    std::set<std::string> fired;
    for (const RuleOutcome* outcome : outcomes_) {
      if (HasFired(outcome->status))
        fired.insert(outcome->subject.empty() ? rule_.id : BareId(outcome->subject));
    }
    if (expected.fires_at_all && *expected.fires_at_all == fired.empty())
      Differ("fires", fired.empty() ? "true" : "false", fired.empty() ? "false" : "true");
    if (expected.fires && *expected.fires != fired) Differ("fires", List(*expected.fires), List(fired));
  }

  // `read` gives a text of an outcome; one of the outcomes must give the expected one.
  template <typename Read>
  void Among(std::string_view key, const std::optional<std::string>& expected, Read read) {
    if (!expected) return;
    std::set<std::string> got;
    for (const RuleOutcome* outcome : outcomes_) {
      const std::string text(read(*outcome));
      got.insert(text.empty() ? "nothing: it " + std::string(RuleStatusName(outcome->status)) : text);
    }
    if (outcomes_.empty()) got.insert("nothing: no for-each item, or another hook");
    if (!got.contains(*expected)) Differ(key, *expected, got.size() == 1 ? *got.begin() : List(got));
  }

  void Deciding(const Expectation& expected) {
    Among("stopped-by", expected.stopped_by, [](const RuleOutcome& o) { return o.stopped_by; });
    Among("absorbed-by", expected.absorbed_by, [](const RuleOutcome& o) { return o.absorbed_by; });
    Among("status", expected.status, [](const RuleOutcome& o) { return RuleStatusName(o.status); });
  }

  void Lines(const std::vector<SourceText>& ids, Outcome expected) {
    for (const SourceText& id : ids) {
      bool known = false, met = false;
      std::string got = "never evaluated";
      for (const RuleOutcome* outcome : outcomes_) {
        const auto line = std::ranges::find(outcome->lines, id.text, &LineOutcome::id);
        if (line == outcome->lines.end()) continue;
        known = true;
        if (!line->evaluated) continue;
        met = met || line->outcome == expected;
        got =
            std::string(OutcomeName(line->outcome)) + (line->reason.empty() ? "" : " (" + line->reason + ")");
      }
      if (!met) {
        Differ("line " + id.text, std::string(OutcomeName(expected)),
               known ? got : "there is no such line, or no for-each item");
      }
    }
  }

  void CardTexts(const Expectation& expected) {
    const bool asked = expected.indicator || expected.suggestions || expected.suggestion_labels ||
                       expected.override_reasons || !expected.summary.empty() || !expected.detail.empty() ||
                       !expected.detail_lacks.empty();
    if (!asked) return;
    if (cards_.empty()) {
      failures_.push_back({"", "a card", "no card"});
      return;
    }
    const Card& card = *cards_.front();
    const auto count = [&](std::string_view key, const std::optional<std::int64_t>& wanted, std::size_t got) {
      if (wanted && static_cast<std::size_t>(*wanted) != got)
        Differ(key, std::to_string(*wanted), std::to_string(got));
    };
    if (expected.indicator && card.indicator != *expected.indicator)
      Differ("indicator", *expected.indicator, card.indicator);
    count("suggestions", expected.suggestions, card.suggestions.size());
    if (expected.suggestion_labels) Labels(*expected.suggestion_labels, card);
    count("override-reasons", expected.override_reasons, card.override_reasons.size());
    const auto contains = [&](std::string_view key, const std::vector<SourceText>& wanted,
                              const std::string& got, bool there) {
      for (const SourceText& text : wanted) {
        if ((got.find(text.text) != std::string::npos) != there) Differ(key, Quoted(text.text), Quoted(got));
      }
    };
    contains("summary-contains", expected.summary, card.summary, true);
    contains("detail-contains", expected.detail, card.detail, true);
    contains("detail-lacks", expected.detail_lacks, card.detail, false);
  }

  void Labels(const std::vector<SourceText>& wanted, const Card& card) {
    std::vector<std::string> parts, labels;
    for (const SourceText& text : wanted) parts.push_back(text.text);
    for (const Suggestion& suggestion : card.suggestions) labels.push_back(suggestion.label);
    const bool same =
        std::ranges::equal(labels, parts, [](const std::string& label, const std::string& part) {
          return label.find(part) != std::string::npos;
        });
    if (!same) Differ("suggestions", List(parts), List(labels));
  }

  const Rule& rule_;
  std::vector<TestFailure> failures_;
  std::vector<const RuleOutcome*> outcomes_;
  std::vector<const Card*> cards_;
};

// `suggestions: 2`, or their labels.
void ReadSuggestions(const YamlNode& node, Expectation* out, Errors* errors) {
  if (node.is_list()) {
    out->suggestion_labels.emplace();
    for (const YamlNode& label : node.children) out->suggestion_labels->push_back(label.value);
    return;
  }
  std::int64_t count = 0;
  const std::string& text = node.value.text;
  const auto [at, code] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (code != std::errc() || at != text.data() + text.size() || text.empty())
    return AddError(errors, node.span, "`suggestions` is a whole number or a list of labels");
  out->suggestions = count;
}

}  // namespace

Expectation ReadExpectation(const YamlNode& node, Errors* errors) {
  Expectation out;
  Fields fields(node, kExpectSchema, errors);
  if (const YamlNode* fires = fields.Node("fires")) {
    if (fires->is_scalar()) {
      out.fires_at_all = fires->value.text == "true";
      if (fires->value.text != "true" && fires->value.text != "false")
        fields.Fail(fires->span, "`fires` is true, false or a list of ids");
    } else {
      out.fires.emplace();
      for (const YamlNode& id : fires->children) out.fires->insert(id.value.text);
    }
  }
  const auto text = [&](std::string_view key) {
    const SourceText source = fields.Source(key);
    return source.span.line == 0 ? std::nullopt : std::optional(source.text);
  };
  out.stopped_by = text("stopped-by");
  out.absorbed_by = text("absorbed-by");
  out.status = text("status");
  out.indicator = text("indicator");
  out.cards = fields.Integer("cards");
  if (const YamlNode* wanted = fields.Node("suggestions")) ReadSuggestions(*wanted, &out, errors);
  out.override_reasons = fields.Integer("overrideReasons");
  if (!out.override_reasons) out.override_reasons = fields.Integer("override-reasons");
  out.lines_true = fields.Texts("true");
  out.lines_false = fields.Texts("false");
  out.lines_unknown = fields.Texts("unknown");
  out.summary = fields.Texts("summary-contains");
  out.detail = fields.Texts("detail-contains");
  out.detail_lacks = fields.Texts("detail-lacks");
  return out;
}

std::string TestFailure::ToString() const {
  return message.empty() ? "- " + expected + "\n+ " + got : message;
}

std::vector<TestFailure> Compare(const Decision& decision, const Rule& rule, const std::string& pack,
                                 const Expectation& expected) {
  return Judge(decision, rule, pack).Check(expected);
}

}  // namespace stepwise::rules
