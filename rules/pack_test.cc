#include "rules/pack_test.h"

#include <algorithm>
#include <map>
#include <set>

#include "rules/engine.h"
#include "rules/explain.h"
#include "rules/pack_files.h"
#include "rules/test_request.h"

namespace stepwise::rules {
namespace {

// What one case expects, as its `expect` says it.
struct Expectation {
  std::optional<bool> fires_at_all;            // `fires: true | false`
  std::optional<std::set<std::string>> fires;  // `fires: [o1]`
  std::optional<std::string> stopped_by, absorbed_by, indicator, status;
  std::optional<std::int64_t> suggestions, override_reasons;
  std::vector<SourceText> lines_true, lines_false, lines_unknown, summary, detail;
};

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
  out.suggestions = fields.Integer("suggestions");
  out.override_reasons = fields.Integer("overrideReasons");
  if (!out.override_reasons) out.override_reasons = fields.Integer("override-reasons");
  out.lines_true = fields.Texts("true");
  out.lines_false = fields.Texts("false");
  out.lines_unknown = fields.Texts("unknown");
  out.summary = fields.Texts("summary-contains");
  out.detail = fields.Texts("detail-contains");
  return out;
}

std::string BareId(const std::string& reference) { return reference.substr(reference.rfind('/') + 1); }

std::string Join(const std::set<std::string>& ids) {
  std::string out;
  for (const std::string& id : ids) out += (out.empty() ? "" : ", ") + id;
  return "[" + out + "]";
}

// Compares what a decision says about one rule with an expectation.
class Judge {
 public:
  Judge(const Decision& decision, const Rule& rule, const std::string& pack,
        std::vector<std::string>* failures)
      : rule_(rule), failures_(failures) {
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

  void Check(const Expectation& expected) {
    Fires(expected);
    Deciding(expected);
    Lines(expected.lines_true, Outcome::kTrue);
    Lines(expected.lines_false, Outcome::kFalse);
    Lines(expected.lines_unknown, Outcome::kUnknown);
    Cards(expected);
    if (expected.status == "failed") return;
    for (const RuleOutcome* outcome : outcomes_) {
      if (outcome->status == RuleStatus::kFailed) Fail("the rule failed: " + outcome->error);
    }
  }

 private:
  void Fail(std::string message) { failures_->push_back(std::move(message)); }

  static bool Fired(const RuleOutcome& outcome) {
    return outcome.status == RuleStatus::kFired || outcome.status == RuleStatus::kAbsorbed ||
           outcome.status == RuleStatus::kShadow;
  }

  void Fires(const Expectation& expected) {
    std::set<std::string> fired;
    bool any = false;
    for (const RuleOutcome* outcome : outcomes_) {
      if (!Fired(*outcome)) continue;
      any = true;
      fired.insert(outcome->subject.empty() ? rule_.id : BareId(outcome->subject));
    }
    if (expected.fires_at_all && *expected.fires_at_all != any)
      Fail(any ? "expected no card, but the rule fired" : "expected the rule to fire, but it did not");
    if (expected.fires && *expected.fires != fired)
      Fail("expected fires " + Join(*expected.fires) + ", got " + Join(fired));
  }

  void Deciding(const Expectation& expected) {
    const auto any = [&](auto matches) {
      return std::ranges::any_of(outcomes_, [&](const RuleOutcome* o) { return matches(*o); });
    };
    if (expected.stopped_by &&
        !any([&](const RuleOutcome& o) { return o.stopped_by == *expected.stopped_by; })) {
      std::set<std::string> got;
      for (const RuleOutcome* outcome : outcomes_)
        got.insert(outcome->stopped_by.empty() ? std::string(RuleStatusName(outcome->status))
                                               : outcome->stopped_by);
      if (outcomes_.empty()) got.insert("nothing: no for-each item, or another hook");
      Fail("expected stopped-by " + *expected.stopped_by + ", got " + Join(got));
    }
    if (expected.absorbed_by &&
        !any([&](const RuleOutcome& o) { return o.absorbed_by == *expected.absorbed_by; })) {
      Fail("expected absorbed-by " + *expected.absorbed_by);
    }
    if (expected.status &&
        !any([&](const RuleOutcome& o) { return RuleStatusName(o.status) == *expected.status; })) {
      Fail("expected status " + *expected.status);
    }
  }

  void Lines(const std::vector<SourceText>& ids, Outcome expected) {
    for (const SourceText& id : ids) {
      bool known = false, met = false;
      std::string got = "it was never evaluated";
      for (const RuleOutcome* outcome : outcomes_) {
        const auto line = std::ranges::find(outcome->lines, id.text, &LineOutcome::id);
        if (line == outcome->lines.end()) continue;
        known = true;
        if (!line->evaluated) continue;
        met = met || line->outcome == expected;
        got = "it is " + std::string(OutcomeName(line->outcome)) +
              (line->reason.empty() ? "" : " (" + line->reason + ")");
      }
      if (!met)
        Fail("line " + id.text + ": expected " + std::string(OutcomeName(expected)) + ", " +
             (known ? got : "there is no such line or no for-each item"));
    }
  }

  void Cards(const Expectation& expected) {
    const bool asked = expected.indicator || expected.suggestions || expected.override_reasons ||
                       !expected.summary.empty() || !expected.detail.empty();
    if (!asked) return;
    if (cards_.empty()) return Fail("expected a card, there is none");
    const Card& card = *cards_.front();
    const auto count = [&](std::string_view what, const std::optional<std::int64_t>& wanted,
                           std::size_t got) {
      if (wanted && static_cast<std::size_t>(*wanted) != got)
        Fail("expected " + std::to_string(*wanted) + " " + std::string(what) + ", got " +
             std::to_string(got));
    };
    if (expected.indicator && card.indicator != *expected.indicator)
      Fail("expected indicator " + *expected.indicator + ", got " + card.indicator);
    count("suggestions", expected.suggestions, card.suggestions.size());
    count("override reasons", expected.override_reasons, card.override_reasons.size());
    const auto contains = [&](std::string_view what, const std::vector<SourceText>& wanted,
                              const std::string& got) {
      for (const SourceText& text : wanted) {
        if (got.find(text.text) == std::string::npos)
          Fail("expected the " + std::string(what) + " to contain `" + text.text + "`, it is `" + got + "`");
      }
    };
    contains("summary", expected.summary, card.summary);
    contains("detail", expected.detail, card.detail);
  }

  const Rule& rule_;
  std::vector<std::string>* failures_;
  std::vector<const RuleOutcome*> outcomes_;
  std::vector<const Card*> cards_;
};

class Runner {
 public:
  Runner(const KnowledgeBase& base, const Pack& pack, const std::string& filter)
      : base_(base), pack_(pack), filter_(filter) {
    for (const Rule& rule : pack.rules) {
      if (rule.mode == RuleMode::kOff) continue;
      for (const RuleLine& line : rule.lines) report_.coverage.push_back({rule.id, line.id});
    }
  }

  PackTestReport Run() {
    const PackFiles files = PackFiles::Open(pack_.dir, &report_.errors);
    for (const std::string& path : files.List("tests/", ".yaml")) {
      const auto tree = ParseYaml(*files.Find(path), {.file = files.Shown(path), .anchors = true});
      if (tree) {
        File(*tree, files.Shown(path));
      } else {
        report_.errors.push_back(tree.error());
      }
    }
    for (const Rule& rule : pack_.rules) {
      if (rule.mode != RuleMode::kOff && !tested_.contains(rule.id)) report_.untested.push_back(rule.id);
    }
    return std::move(report_);
  }

 private:
  void File(const YamlNode& node, const std::string& file) {
    Fields fields(node, kTestFileSchema, &report_.errors);
    const SourceText name = fields.Source("tests-for");
    const SourceText now_text = fields.Source("now");
    const YamlNode* base = fields.Map("base");
    const YamlNode* cases = fields.List("cases");
    const auto rule = std::ranges::find_if(
        pack_.rules, [&](const Rule& r) { return r.id == name.text || r.name == name.text; });
    const auto now = DateTime::ParseDateTime(now_text.text);
    if (rule == pack_.rules.end()) {
      std::vector<std::string> known;
      for (const Rule& r : pack_.rules) known.push_back(r.id);
      return fields.Fail(name.span, "no rule `" + name.text + "` in this pack" + Suggest(name.text, known));
    }
    if (!now || cases == nullptr) {
      if (!now)
        fields.Fail(now_text.span, "`" + now_text.text + "` is no moment; write 2026-12-10T09:00:00Z");
      return;
    }
    for (const YamlNode& test_case : cases->children) Case(*rule, base, test_case, *now, file);
  }

  void Case(const Rule& rule, const YamlNode* base, const YamlNode& node, const DateTime& file_now,
            const std::string& file) {
    TestCaseResult result;
    result.file = file;
    result.rule = rule.id;
    result.span = node.span;
    const YamlNode* name = node.Find("name");
    result.name = name == nullptr ? "line " + std::to_string(node.span.line) : name->value.text;
    if ((result.rule + ": " + result.name).find(filter_) == std::string::npos) return;
    tested_.insert(rule.id);

    Errors errors;
    const YamlNode* expect = node.Find("expect");
    if (expect == nullptr) AddError(&errors, node.span, "a case says what it expects in `expect`");
    const Expectation expected = expect == nullptr ? Expectation{} : ReadExpectation(*expect, &errors);
    const TestRequest request = MakeTestRequest(base, node, base_.slots(), &errors);
    std::map<std::string, std::string> values;
    if (const YamlNode* site = node.Find("site")) {
      for (const YamlNode& value : site->children) values[value.key.text] = value.value.text;
    }
    DateTime now = file_now;
    if (const YamlNode* own = node.Find("now")) {
      const auto parsed = DateTime::ParseDateTime(own->value.text);
      if (!parsed)
        AddError(&errors, own->span, "`" + own->value.text + "` is no moment; write 2026-12-10T09:00:00Z");
      now = parsed.value_or(now);
    }
    const auto parameters = MakeSiteParameters(base_, values);
    if (!parameters) AddError(&errors, node.span, parameters.error().message);
    const auto document = Document::Parse(request.json);
    if (!document) AddError(&errors, node.span, "the request is not usable: " + document.error().ToString());
    if (errors.empty()) Evaluate(rule, *document, now, *parameters, expected, &result);
    for (const Error& error : errors) result.failures.push_back(error.ToString());
    report_.cases.push_back(std::move(result));
  }

  void Evaluate(const Rule& rule, const Document& document, const DateTime& now,
                const SiteParameters& parameters, const Expectation& expected, TestCaseResult* result) {
    EngineOptions options;
    options.site = &parameters;
    options.all_lines = true;  // lines after the deciding one count as covered, and may be expected
    const auto decision = engine_.Evaluate(base_, document, now, options);
    if (!decision) {
      result->failures.push_back(decision.error().ToString());
      return;
    }
    Judge(*decision, rule, pack_.id, &result->failures).Check(expected);
    Cover(*decision);
    if (result->failures.empty()) return;
    for (const RuleOutcome& outcome : decision->rules) {
      if (outcome.rule == rule.id && outcome.pack == pack_.id)
        result->explanation += Explain(outcome, *decision);
    }
  }

  void Cover(const Decision& decision) {
    for (const RuleOutcome& outcome : decision.rules) {
      if (outcome.pack != pack_.id) continue;
      for (const LineOutcome& line : outcome.lines) {
        if (!line.evaluated) continue;
        const auto seen = std::ranges::find_if(report_.coverage, [&](const LineCoverage& entry) {
          return entry.rule == outcome.rule && entry.line == line.id;
        });
        if (seen == report_.coverage.end()) continue;
        seen->seen_true |= line.outcome == Outcome::kTrue;
        seen->seen_false |= line.outcome == Outcome::kFalse;
        seen->seen_unknown |= line.outcome == Outcome::kUnknown;
      }
    }
  }

  const KnowledgeBase& base_;
  const Pack& pack_;
  const std::string& filter_;
  Engine engine_;
  PackTestReport report_;
  std::set<std::string> tested_;
};

}  // namespace

std::size_t PackTestReport::failed() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(cases, [](const TestCaseResult& result) { return !result.failures.empty(); }));
}

PackTestReport RunPackTests(const KnowledgeBase& base, const Pack& pack, const std::string& filter) {
  return Runner(base, pack, filter).Run();
}

}  // namespace stepwise::rules
