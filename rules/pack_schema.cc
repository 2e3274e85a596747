#include "rules/pack_schema.h"

#include <algorithm>

#include "rules/decision.h"

namespace stepwise::rules {
namespace {

using enum ValueKind;

constexpr std::string_view kFormats[] = {"1"};
constexpr std::string_view kStatuses[] = {"draft", "active", "retired"};
constexpr std::string_view kParameterTypes[] = {"integer", "decimal", "string", "boolean"};
constexpr std::string_view kOverrides[] = {"none"};
// Those that the service answers (cds_hooks/hook.cc).
// The rows of cds_hooks/hook.cc, the floor above; a test compares them.
constexpr std::string_view kHooks[] = {"patient-view",     "order-select",      "order-sign",
                                       "order-dispatch",   "encounter-start",   "encounter-discharge",
                                       "appointment-book", "medication-refill", "medication-verify"};
constexpr std::string_view kModes[] = {"on", "shadow", "off"};
constexpr std::string_view kUnknowns[] = {"silent", "fire"};
constexpr std::string_view kAfters[] = {"override"};
constexpr std::string_view kIndicators[] = {"critical", "warning", "info"};
constexpr std::string_view kSelections[] = {"at-most-one", "any"};
constexpr std::string_view kActionTypes[] = {"create", "update", "delete"};
constexpr std::string_view kLinkTypes[] = {"absolute", "smart"};

// clang-format off
constexpr KeySchema kPeriodKeys[] = {
  {.name = "from", .kind = kDate, .doc = "First day on which the pack may speak"},
  {.name = "to", .kind = kDate, .doc = "Last day on which the pack may speak"},
};
constexpr KeySchema kContributorKeys[] = {
  {.name = "name", .kind = kText, .doc = "Person or body", .required = true},
  {.name = "contact", .kind = kText, .doc = "How to reach them"},
  {.name = "on", .kind = kDate, .doc = "Day of the endorsement"},
};
constexpr KeySchema kEvidenceKeys[] = {
  {.name = "id", .kind = kText, .doc = "Name that rules use in `evidence` and templates in {{evidence.<id>}}", .required = true},
  {.name = "type", .kind = kText, .doc = "What it is, in FHIR's words for related artifacts: citation, justification, documentation"},
  {.name = "label", .kind = kText, .doc = "What readers of a card see", .required = true},
  {.name = "url", .kind = kText, .doc = "Where it can be read"},
  {.name = "says", .kind = kText, .doc = "What it says that the rules rest on"},
};
constexpr KeySchema kParameterKeys[] = {
  {.name = "type", .kind = kText, .doc = "Type of the value", .required = true, .allowed = kParameterTypes},
  {.name = "unit", .kind = kText, .doc = "UCUM unit; with a, mo, wk, d, h, min or s the value is a calendar duration"},
  {.name = "default", .kind = kText, .doc = "Value where a site sets none", .required = true},
  {.name = "min", .kind = kText, .doc = "Lowest value that a site may set"},
  {.name = "max", .kind = kText, .doc = "Highest value that a site may set"},
  {.name = "override", .kind = kText, .doc = "`none`: sites may not change it", .allowed = kOverrides},
  {.name = "doc", .kind = kText, .doc = "What it decides, for those who set it"},
};
constexpr KeySchema kPrefetchKeys[] = {
  {.name = "query", .kind = kText, .doc = "CDS Hooks prefetch template: Type?search or Type/id", .required = true},
  {.name = "required", .kind = kBoolean, .doc = "false: rules that need it are unknown without it; true: the request cannot be answered", .fallback = "true"},
};
constexpr KeySchema kTableKeys[] = {
  {.name = "file", .kind = kText, .doc = "Path in the pack: tables/<name>.csv", .required = true},
  {.name = "key", .kind = kText, .doc = "Column by which lookup() finds a row"},
};
constexpr KeySchema kValueSetEntryKeys[] = {
  {.name = "file", .kind = kText, .doc = "Path in the pack: valuesets/<name>.yaml", .required = true},
  {.name = "version", .kind = kText, .doc = "Version that the file must have"},
};
constexpr KeySchema kPackKeys[] = {
  {.name = "pack", .kind = kText, .doc = "Version of this format", .required = true, .allowed = kFormats},
  {.name = "id", .kind = kText, .doc = "Name of the pack, such as org.example.cancer-pain", .required = true},
  {.name = "precedence", .kind = kInteger, .doc = "Among cards of one indicator, those of packs with more come first", .fallback = "0"},
  {.name = "canonical", .kind = kText, .doc = "Canonical URL; the system of card topics and override reasons"},
  {.name = "title", .kind = kText, .doc = "What readers of a card see as its source", .required = true},
  {.name = "version", .kind = kText, .doc = "major.minor.patch. Major: another class of advice, or inputs or override codes change; minor: a new rule or condition; patch: texts", .required = true},
  {.name = "status", .kind = kText, .doc = "Only an active pack should run on patients", .allowed = kStatuses, .fallback = "draft"},
  {.name = "experimental", .kind = kBoolean, .doc = "For tests and demonstrations only", .fallback = "false"},
  {.name = "fhir", .kind = kTexts, .doc = "FHIR versions that expressions are checked against: 4.0.1, 5.0.0"},
  {.name = "effective", .kind = kObject, .doc = "Days on which the pack may speak", .object = &kPeriodSchema},
  {.name = "approved", .kind = kDate, .doc = "Day of approval"},
  {.name = "next-review", .kind = kDate, .doc = "Day by which the content is read again"},
  {.name = "publisher", .kind = kText, .doc = "Who answers for the pack"},
  {.name = "copyright", .kind = kText, .doc = "Whose content it holds, and the terms"},
  {.name = "description", .kind = kText, .doc = "What the pack is for"},
  {.name = "authors", .kind = kList, .doc = "Who wrote it", .item = kObject, .object = &kContributorSchema},
  {.name = "editors", .kind = kList, .doc = "Who edits it", .item = kObject, .object = &kContributorSchema},
  {.name = "reviewers", .kind = kList, .doc = "Who read it", .item = kObject, .object = &kContributorSchema},
  {.name = "endorsers", .kind = kList, .doc = "Who stands behind it", .item = kObject, .object = &kContributorSchema},
  {.name = "evidence", .kind = kList, .doc = "Sources that rules name", .item = kObject, .object = &kEvidenceSchema},
  {.name = "parameters", .kind = kMap, .doc = "Values that sites may set, %p.<name> in expressions", .item = kObject, .object = &kParameterSchema},
  {.name = "prefetch", .kind = kMap, .doc = "Data that rules need, %<key> in expressions", .item = kObject, .object = &kPrefetchSchema, .or_text = true},
  {.name = "tables", .kind = kMap, .doc = "Knowledge tables, by the name that lookup() uses", .item = kObject, .object = &kTableSchema, .or_text = true},
  {.name = "valuesets", .kind = kMap, .doc = "Value sets, by the name that memberOf() uses", .item = kObject, .object = &kValueSetEntrySchema, .or_text = true},
  {.name = "requires", .kind = kMap, .doc = "Packs that this one builds on, with the versions it can use: ^1.2 or 1.2.0", .item = kText},
  {.name = "facts", .kind = kMap, .doc = "Named FHIRPath expressions, %<name> in this pack and in those that require it", .item = kText},
};

constexpr KeySchema kLineKeys[] = {
  {.name = "id", .kind = kText, .doc = "Name in explanations, tests and `unknown`", .required = true},
  {.name = "text", .kind = kText, .doc = "What is so when the line is true, for readers of a card", .required = true},
  {.name = "if", .kind = kText, .doc = "FHIRPath criterion", .required = true},
};
constexpr KeySchema kCardSourceKeys[] = {
  {.name = "label", .kind = kText, .doc = "Template: who says this", .required = true},
  {.name = "url", .kind = kText, .doc = "Template: where to read more"},
  {.name = "icon", .kind = kText, .doc = "URL of a 100x100 PNG"},
  {.name = "topic", .kind = kText, .doc = "Code of what the card is about; the rule's id where it is absent"},
};
constexpr KeySchema kActionKeys[] = {
  {.name = "type", .kind = kText, .doc = "What the client does with the resource", .required = true, .allowed = kActionTypes},
  {.name = "description", .kind = kText, .doc = "Template: what happens, for the prescriber", .required = true},
  {.name = "resource", .kind = kMap, .doc = "FHIR resource to create or update; { $value: expression } copies from the request"},
  {.name = "resource-id", .kind = kText, .doc = "Template: what to delete, such as MedicationRequest/{{%order.id}}"},
};
constexpr KeySchema kSuggestionKeys[] = {
  {.name = "label", .kind = kText, .doc = "Template: what accepting it does", .required = true},
  {.name = "recommended", .kind = kBoolean, .doc = "Preferred among the card's suggestions", .fallback = "false"},
  {.name = "actions", .kind = kList, .doc = "What is done when it is accepted", .item = kObject, .object = &kActionSchema},
};
constexpr KeySchema kLinkKeys[] = {
  {.name = "label", .kind = kText, .doc = "Template: what the link leads to", .required = true},
  {.name = "url", .kind = kText, .doc = "Template: where it leads", .required = true},
  {.name = "type", .kind = kText, .doc = "smart: an app that the client launches", .allowed = kLinkTypes, .fallback = "absolute"},
  {.name = "app-context", .kind = kText, .doc = "Template: handed to the app, for links of type smart"},
};
constexpr KeySchema kOverrideReasonKeys[] = {
  {.name = "code", .kind = kText, .doc = "Unique in the card, and the same in every later version", .required = true},
  {.name = "system", .kind = kText, .doc = "Code system; the pack's canonical where it is absent"},
  {.name = "display", .kind = kText, .doc = "What the prescriber reads", .required = true},
};
constexpr KeySchema kCardKeys[] = {
  {.name = "summary", .kind = kText, .doc = "Template of one sentence, at most 139 characters when filled in", .required = true},
  {.name = "detail", .kind = kText, .doc = "Template in GitHub-flavoured Markdown, without HTML"},
  {.name = "indicator", .kind = kText, .doc = "How urgent it is", .required = true, .allowed = kIndicators},
  {.name = "source", .kind = kObject, .doc = "Who says this", .object = &kCardSourceSchema},
  {.name = "suggestions", .kind = kList, .doc = "What the prescriber may accept", .item = kObject, .object = &kSuggestionSchema},
  {.name = "selection", .kind = kText, .doc = "How many suggestions may be accepted", .allowed = kSelections, .fallback = "at-most-one"},
  {.name = "override-reasons", .kind = kList, .doc = "Why the prescriber may disagree", .item = kObject, .object = &kOverrideReasonSchema},
  {.name = "links", .kind = kList, .doc = "Where to read more", .item = kObject, .object = &kLinkSchema},
};
constexpr KeySchema kSuppressRepeatKeys[] = {
  {.name = "per", .kind = kTexts, .doc = "`patient`, and expressions whose values tell one piece of advice from another", .required = true},
  {.name = "for", .kind = kText, .doc = "How long: a whole number of min, h, d or wk, such as 12 h", .required = true},
  {.name = "after", .kind = kText, .doc = "What starts the quiet", .allowed = kAfters},
};
constexpr KeySchema kRuleKeys[] = {
  {.name = "rule", .kind = kText, .doc = "Name of the rule, such as prn-only-strong-opioid", .required = true},
  {.name = "id", .kind = kText, .doc = "Short id, such as LAD-06; the name where it is absent"},
  {.name = "title", .kind = kText, .doc = "What the rule is about, in a few words", .required = true},
  {.name = "why", .kind = kText, .doc = "Why it matters; of a rule that is off, what is missing"},
  {.name = "evidence", .kind = kTexts, .doc = "Ids of the evidence in pack.yaml that the rule rests on"},
  {.name = "hooks", .kind = kTexts, .doc = "Moments at which the rule runs", .allowed = kHooks},
  {.name = "mode", .kind = kText, .doc = "shadow: evaluated and never shown; off: not evaluated, says in `why` what is missing", .allowed = kModes, .fallback = "on"},
  {.name = "cause", .kind = kText, .doc = "Rules of one cause give one card, whatever packs they are in"},
  {.name = "priority", .kind = kInteger, .doc = "Higher first", .fallback = "0"},
  {.name = "for-each", .kind = kMap, .doc = "One name and the FHIRPath of its items: the rule runs once for each, with %<name>", .item = kText},
  {.name = "let", .kind = kMap, .doc = "Named FHIRPath expressions, %<name> in this rule", .item = kText},
  {.name = "when", .kind = kList, .doc = "All must be true for the rule to fire", .item = kObject, .object = &kWhenSchema},
  {.name = "unless", .kind = kList, .doc = "Any that is true silences the rule", .item = kObject, .object = &kUnlessSchema},
  {.name = "unknown", .kind = kMap, .doc = "What a line does when its data are missing, by line id or `default`: silent stops the rule, fire goes on and says so", .allowed = kUnknowns, .item = kText},
  {.name = "suppress-repeat", .kind = kObject, .doc = "Keeps quiet for a while after a clinician overrode the card", .object = &kSuppressRepeatSchema},
  {.name = "source", .kind = kAny, .doc = "Passages that the rule rests on, for reviewers"},
  {.name = "notes", .kind = kAny, .doc = "For reviewers"},
  {.name = "card", .kind = kObject, .doc = "What is shown when the rule fires", .object = &kCardSchema},
  {.name = "links", .kind = kList, .doc = "Links of the card", .item = kObject, .object = &kLinkSchema},
};

constexpr KeySchema kIncludeKeys[] = {
  {.name = "system", .kind = kText, .doc = "Code system", .required = true},
  {.name = "codes", .kind = kMap, .doc = "Codes, each with its display"},
  {.name = "descendants", .kind = kBoolean, .doc = "Prefix rule of ICD-10-CM and ATC: C25 holds C25.9", .fallback = "false"},
  {.name = "table", .kind = kText, .doc = "Table that holds the codes"},
  {.name = "column", .kind = kText, .doc = "Its column with the codes"},
  {.name = "where", .kind = kMap, .doc = "Rows that count: for each column one cell or a list of cells"},
};
constexpr KeySchema kValueSetKeys[] = {
  {.name = "name", .kind = kText, .doc = "Name in pack.yaml and in memberOf()", .required = true},
  {.name = "url", .kind = kText, .doc = "Canonical URL", .required = true},
  {.name = "version", .kind = kText, .doc = "Its own version", .required = true},
  {.name = "title", .kind = kText, .doc = "What it holds", .required = true},
  {.name = "status", .kind = kText, .doc = "draft, active or retired", .allowed = kStatuses},
  {.name = "copyright", .kind = kText, .doc = "Whose codes they are, and the terms"},
  {.name = "verified", .kind = kAny, .doc = "Who compared the codes with the code system, and when"},
  {.name = "source", .kind = kAny, .doc = "Where the list comes from"},
  {.name = "date", .kind = kAny, .doc = "How old the list is"},
  {.name = "description", .kind = kText, .doc = "What it is for"},
  {.name = "unverified", .kind = kTexts, .doc = "Codes, or remarks, that nobody has checked yet"},
  {.name = "covers", .kind = kTexts, .doc = "Systems for which not listed means not a member; every included one where it is absent"},
  {.name = "system", .kind = kText, .doc = "Code system of `codes`"},
  {.name = "codes", .kind = kMap, .doc = "Codes, each with its display"},
  {.name = "include", .kind = kList, .doc = "Parts: codes written here, or rows of a table", .item = kObject, .object = &kIncludeSchema},
};

constexpr KeySchema kSiteRuleKeys[] = {
  {.name = "mode", .kind = kText, .doc = "shadow: evaluated and never shown; off: not evaluated", .allowed = kModes},
  {.name = "why", .kind = kText, .doc = "Why the site turns it off"},
};
constexpr KeySchema kSiteKeys[] = {
  {.name = "site", .kind = kText, .doc = "Name of the site", .required = true},
  {.name = "for", .kind = kText, .doc = "Pack and versions that the site approved, such as cancer-pain@^1.2", .required = true},
  {.name = "approved-by", .kind = kText, .doc = "Who approved it, and when", .required = true},
  {.name = "parameters", .kind = kMap, .doc = "Values inside the bounds that the pack declares", .item = kText},
  {.name = "rules", .kind = kMap, .doc = "Rules, by id or name, that run differently here", .item = kObject, .object = &kSiteRuleSchema},
};

constexpr KeySchema kActivationKeys[] = {
  {.name = "activation", .kind = kText, .doc = "Format of this file", .required = true, .allowed = kFormats},
  {.name = "sites", .kind = kMap, .doc = "Site (or `default`) -> id of a pack -> list of its versions", .required = true, .item = kAny},
};

constexpr KeySchema kActivationEntryKeys[] = {
  {.name = "version", .kind = kText, .doc = "1.2.0, ^1.2 (the highest in force) or sha256: and 64 digits", .required = true},
  {.name = "mode", .kind = kText, .doc = "For everybody, for some patients, or evaluated and never shown", .allowed = kActivationModes, .fallback = "on"},
  {.name = "percent", .kind = kText, .doc = "Of a canary: 0 to 100, in steps of 0.01"},
  {.name = "salt", .kind = kText, .doc = "Of a canary: what its choice of patients hangs on; else the pack's id"},
  {.name = "from", .kind = kText, .doc = "First moment, with offset"},
  {.name = "to", .kind = kText, .doc = "First moment after, with offset"},
  {.name = "approved-by", .kind = kText, .doc = "Who approved it, and when"},
};

// What `base` and a case say alike.
#define STEPWISE_TEST_DATA_KEYS                                                                                       \
  {.name = "hook", .kind = kText, .doc = "Hook of the request"},                                                      \
  {.name = "now", .kind = kText, .doc = "Moment of the request, such as 2026-12-10T09:00:00Z"},                       \
  {.name = "orders", .kind = kList, .doc = "Resources of context.draftOrders"},                                       \
  {.name = "selections", .kind = kAny, .doc = "References of context.selections"},                                    \
  {.name = "context", .kind = kMap, .doc = "Further entries of the context"},                                         \
  {.name = "absent", .kind = kTexts, .doc = "Prefetch keys that the request does not have"},                          \
  {.name = "site", .kind = kMap, .doc = "Parameter values of a site", .item = kText},                                 \
  {.name = "overridden", .kind = kList, .doc = "Earlier requests whose cards were overridden: what differs, and `at` which moment"},                            \
  {.name = "why", .kind = kText, .doc = "For readers"}
constexpr KeySchema kTestBaseKeys[] = {STEPWISE_TEST_DATA_KEYS};
constexpr KeySchema kTestCaseKeys[] = {
  {.name = "name", .kind = kText, .doc = "What the case shows", .required = true},
  {.name = "expect", .kind = kObject, .doc = "What must come out", .required = true, .object = &kExpectSchema},
  STEPWISE_TEST_DATA_KEYS,
};
#undef STEPWISE_TEST_DATA_KEYS
constexpr KeySchema kExpectKeys[] = {
  {.name = "fires", .kind = kAny, .doc = "Ids of the for-each items that fire; true or false for a rule without for-each"},
  {.name = "stopped-by", .kind = kText, .doc = "Line that stops the rule"},
  {.name = "absorbed-by", .kind = kText, .doc = "Rule of the same cause that gives the card"},
  {.name = "status", .kind = kText, .doc = "How the rule ends", .allowed = kRuleStatusNames},
  {.name = "indicator", .kind = kText, .doc = "Of the card", .allowed = kIndicators},
  {.name = "cards", .kind = kInteger, .doc = "How many cards the rule gives"},
  {.name = "suggestions", .kind = kAny, .doc = "How many the card has, or their labels"},
  {.name = "overrideReasons", .kind = kInteger, .doc = "How many the card has"},
  {.name = "override-reasons", .kind = kInteger, .doc = "The same as overrideReasons"},
  {.name = "true", .kind = kTexts, .doc = "Lines that are true"},
  {.name = "false", .kind = kTexts, .doc = "Lines that are false"},
  {.name = "unknown", .kind = kTexts, .doc = "Lines that are unknown"},
  {.name = "summary-contains", .kind = kTexts, .doc = "Parts of the card's summary"},
  {.name = "detail-contains", .kind = kTexts, .doc = "Parts of the card's detail"},
  {.name = "detail-lacks", .kind = kTexts, .doc = "What the card's detail must not say"},
};
constexpr KeySchema kTestFileKeys[] = {
  {.name = "tests-for", .kind = kText, .doc = "Id or name of the rule", .required = true},
  {.name = "now", .kind = kText, .doc = "Moment of every request, such as 2026-12-10T09:00:00Z", .required = true},
  {.name = "never-unknown", .kind = kMap, .doc = "Lines that no data can make unknown, with the reason", .item = kText},
  {.name = "anchors", .kind = kAny, .doc = "A place for &names that cases use"},
  {.name = "base", .kind = kObject, .doc = "What every case starts from", .object = &kTestBaseSchema},
  {.name = "cases", .kind = kList, .doc = "Each changes only what it names", .required = true, .item = kObject, .object = &kTestCaseSchema},
};

constexpr KeySchema kMutantKeys[] = {
  {.name = "in", .kind = kText, .doc = "Where the text stands, as `pack mutate` says it", .required = true},
  {.name = "was", .kind = kText, .doc = "The operator as written", .required = true},
  {.name = "becomes", .kind = kText, .doc = "The operator as changed", .required = true},
  {.name = "why", .kind = kText, .doc = "Why no data can tell them apart", .required = true},
};
constexpr KeySchema kMutantsKeys[] = {
  {.name = "equivalent", .kind = kList, .doc = "Changes that change nothing", .required = true, .item = kObject, .object = &kMutantSchema},
};

constexpr FileSchema kFiles[] = {
  {"pack", "pack.yaml", "Head of a rule pack: who, what, versions, parameters, data and named facts", &kPackSchema},
  {"rule", "rules/*.yaml", "One rule of a pack: when it fires and what the card says", &kRuleSchema},
  {"valueset", "valuesets/*.yaml", "One value set of a pack", &kValueSetSchema},
  {"site", "sites/*.yaml", "What one site changes in a pack", &kSiteSchema},
  {"activation", "activation.yaml", "Which versions of which packs a site has on", &kActivationSchema},
  {"tests", "tests/*.yaml", "Test cases of one rule", &kTestFileSchema},
  {"mutants", "mutants.yaml", "Changes that `pack mutate` need not kill, each with its reason", &kMutantsSchema},
};
// clang-format on

}  // namespace

constinit const ObjectSchema kPackSchema{"pack", "pack.yaml", kPackKeys};
constinit const ObjectSchema kPeriodSchema{"effective", "`effective`", kPeriodKeys};
constinit const ObjectSchema kContributorSchema{"contributor", "a person or body", kContributorKeys};
constinit const ObjectSchema kEvidenceSchema{"evidence", "an evidence entry", kEvidenceKeys};
constinit const ObjectSchema kParameterSchema{"parameter", "a parameter", kParameterKeys};
constinit const ObjectSchema kPrefetchSchema{"prefetch", "a prefetch query", kPrefetchKeys};
constinit const ObjectSchema kTableSchema{"table", "a table", kTableKeys};
constinit const ObjectSchema kValueSetEntrySchema{"valueset-entry", "a value set", kValueSetEntryKeys};
constinit const ObjectSchema kSuppressRepeatSchema{"suppress-repeat", "`suppress-repeat`",
                                                   kSuppressRepeatKeys};
constinit const ObjectSchema kMutantsSchema{"mutants", "mutants.yaml", kMutantsKeys};
constinit const ObjectSchema kMutantSchema{"mutant", "an equivalent mutant", kMutantKeys};
constinit const ObjectSchema kRuleSchema{"rule", "a rule", kRuleKeys};
constinit const ObjectSchema kWhenSchema{"when-line", "a when line", kLineKeys};
constinit const ObjectSchema kUnlessSchema{"unless-line", "an unless line", kLineKeys};
constinit const ObjectSchema kCardSchema{"card", "a card", kCardKeys};
constinit const ObjectSchema kCardSourceSchema{"card-source", "a card's source", kCardSourceKeys};
constinit const ObjectSchema kSuggestionSchema{"suggestion", "a suggestion", kSuggestionKeys};
constinit const ObjectSchema kActionSchema{"action", "an action", kActionKeys};
constinit const ObjectSchema kLinkSchema{"link", "a link", kLinkKeys};
constinit const ObjectSchema kOverrideReasonSchema{"override-reason", "an override reason",
                                                   kOverrideReasonKeys};
constinit const ObjectSchema kValueSetSchema{"valueset", "a value set", kValueSetKeys};
constinit const ObjectSchema kIncludeSchema{"include", "an include", kIncludeKeys};
constinit const ObjectSchema kSiteSchema{"site", "a site's file", kSiteKeys};
constinit const ObjectSchema kSiteRuleSchema{"site-rule", "a rule of a site", kSiteRuleKeys};
constinit const ObjectSchema kActivationSchema{"activation", "an activation file", kActivationKeys};
constinit const ObjectSchema kActivationEntrySchema{"activation-entry", "an entry of a site",
                                                    kActivationEntryKeys};
constinit const ObjectSchema kTestFileSchema{"tests", "a test file", kTestFileKeys};
constinit const ObjectSchema kTestBaseSchema{"base", "`base`", kTestBaseKeys, "Answer to a prefetch key"};
constinit const ObjectSchema kTestCaseSchema{"case", "a case", kTestCaseKeys, "Answer to a prefetch key"};
constinit const ObjectSchema kExpectSchema{"expect", "`expect`", kExpectKeys};

const KeySchema* ObjectSchema::Find(std::string_view key) const {
  const auto found = std::ranges::find(keys, key, &KeySchema::name);
  return found == keys.end() ? nullptr : &*found;
}

std::span<const FileSchema> FileSchemas() { return kFiles; }

}  // namespace stepwise::rules
