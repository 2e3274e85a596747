#include "cds_hooks/prefetch_template.h"

#include <algorithm>

#include "fhir/date_time.h"
#include "fhir/model.h"

namespace stepwise::cds_hooks {
namespace {

constexpr std::string_view kOpen = "{{", kClose = "}}", kContext = "context.";

// "Prefetch tokens": identifiers of the user, by the type of the resource that userId names.
struct UserToken {
  std::string_view name, type;
};
constexpr UserToken kUserTokens[] = {
    {"userPractitionerId", "Practitioner"},
    {"userPractitionerRoleId", "PractitionerRole"},
    {"userPatientId", "Patient"},
    {"userRelatedPersonId", "RelatedPerson"},
};

// Clients send "Patient/p1" for the patientId "p1", and so for other ids.
struct TypedId {
  std::string_view field, prefix;
};
constexpr TypedId kTypedIds[] = {{"patientId", "Patient/"}, {"encounterId", "Encounter/"}};

// Prefixes of dates, numbers and quantities in FHIR searches; those of the subset.
struct Prefix {
  std::string_view text;
  bool allowed;
};
constexpr Prefix kPrefixes[] = {{"eq", true},  {"lt", true},  {"gt", true},  {"ge", true}, {"le", true},
                                {"ne", false}, {"sa", false}, {"eb", false}, {"ap", false}};

// Parameters of every resource that start with an underscore, as far as they are in the subset.
constexpr std::string_view kCommonParameters[] = {"_id",       "_lastUpdated", "_tag",
                                                  "_security", "_count",       "_sort"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlphanumeric(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// FHIR R4 "id": [A-Za-z0-9\-\.]{1,64}. "." and ".." would walk up the path of a URL.
bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlphanumeric(c) || c == '-' || c == '.'; });
}

bool IsResourceType(std::string_view name) {
  const Model& model = Model::Get(FhirVersion::kR4);
  const TypeId type = FindFhirType(name);
  return model.Has(type) && model.Kind(type) == TypeKind::kResource && !model.IsAbstract(type);
}

bool IsReference(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && IsResourceType(text.substr(0, slash)) &&
         IsId(text.substr(slash + 1));
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool HasToken(std::string_view text) { return text.find(kOpen) != std::string_view::npos; }

// Reads one template from left to right; `part` of every check is a view into its text, which says where.
class TemplateParser {
 public:
  explicit TemplateParser(std::string_view text) { parsed_.text = text; }

  Result<ParsedTemplate> Parse() && {
    STEPWISE_RETURN_IF_ERROR(FindTokens());
    STEPWISE_RETURN_IF_ERROR(ReadQuery());
    return std::move(parsed_);
  }

 private:
  tl::unexpected<Error> Wrong(Code code, std::string_view part, std::string message) const {
    const auto column = static_cast<std::uint32_t>(part.data() - parsed_.text.data()) + 1;
    return Fail(code, std::move(message), {"", 1, column, static_cast<std::uint32_t>(part.size())});
  }
  tl::unexpected<Error> Outside(std::string_view part, std::string message) const {
    return Wrong(Code::kSemantic, part,
                 "\"" + std::string(part) + "\": " + std::move(message) +
                     "; CDS Hooks keeps prefetch to simple searches that all clients can answer");
  }

  // Tokens, and characters that no URL has outside of them.
  Status FindTokens() {
    const std::string_view text = parsed_.text;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::string_view here = text.substr(i, 1);
      if (text.substr(i).starts_with(kOpen)) {
        const std::size_t close = text.find(kClose, i);
        if (close == std::string_view::npos) return Wrong(Code::kSyntax, here, "\"{{\" without \"}}\"");
        const std::string_view name = Trim(text.substr(i + kOpen.size(), close - i - kOpen.size()));
        const std::string_view whole = text.substr(i, close + kClose.size() - i);
        const bool plain = !name.empty() && std::all_of(name.begin(), name.end(),
                                                        [](char c) { return IsAlphanumeric(c) || c == '.'; });
        if (!plain)
          return Wrong(Code::kSyntax, whole,
                       "\"" + std::string(whole) + "\" is no token; write one such as {{context.patientId}}");
        parsed_.tokens.push_back({std::string(name), i, whole.size()});
        i += whole.size() - 1;
      } else if (text[i] == '%') {
        if (i + 2 >= text.size() || !IsHexDigit(text[i + 1]) || !IsHexDigit(text[i + 2]))
          return Wrong(Code::kSyntax, here, "\"%\" without two hexadecimal digits");
      } else if (text[i] <= ' ' || text[i] > '~' ||
                 std::string_view("{}#\"<>\\^`").find(text[i]) != std::string_view::npos) {
        return Wrong(Code::kSyntax, here,
                     "a character that no FHIR query holds unless it is percent-encoded");
      }
    }
    return {};
  }

  Status ReadQuery() {
    const std::string_view text = parsed_.text;
    if (parsed_.tokens.size() == 1 && parsed_.tokens[0].length == text.size()) {
      parsed_.kind = TemplateKind::kReference;
      return {};
    }
    const std::size_t type_end = std::min(text.find_first_of("/?"), text.size());
    const std::string_view type = text.substr(0, type_end);
    if (type_end == text.size())
      return Wrong(Code::kSyntax, text,
                   "expected Type/id or Type?search, such as Patient/{{context.patientId}}");
    if (!IsResourceType(type))
      return Wrong(Code::kSemantic, type, "\"" + std::string(type) + "\" is no type of FHIR R4 resource");
    parsed_.resource_type = type;
    const std::string_view rest = text.substr(type_end + 1);
    if (text[type_end] == '/') return ReadId(rest);
    parsed_.kind = TemplateKind::kSearch;
    for (std::size_t begin = 0; begin <= rest.size();) {
      const std::size_t end = std::min(rest.find('&', begin), rest.size());
      STEPWISE_RETURN_IF_ERROR(ReadParameter(rest.substr(begin, end - begin)));
      begin = end + 1;
    }
    return {};
  }

  Status ReadId(std::string_view id) {
    const bool one_token = parsed_.tokens.size() == 1 && parsed_.tokens[0].length == id.size();
    if (one_token || IsId(id)) return {};
    return Outside(id, "expected one id or one token after the type");
  }

  Status ReadParameter(std::string_view part) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == part.size())
      return Wrong(Code::kSyntax, part, "expected name=value, found \"" + std::string(part) + "\"");
    const std::string_view value = part.substr(equals + 1);
    std::string_view name = part.substr(0, equals), modifier;
    if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
      modifier = name.substr(colon + 1);
      name = name.substr(0, colon);
    }
    if (HasToken(part.substr(0, equals))) return Outside(part, "a token can stand in a value only");
    if (name.starts_with("_has") || name.find('.') != std::string_view::npos)
      return Outside(part, "parameters cannot be chained");
    if (name.starts_with("_") && std::find(std::begin(kCommonParameters), std::end(kCommonParameters),
                                           name) == std::end(kCommonParameters))
      return Outside(part,
                     "of the parameters with an underscore only _id, _lastUpdated, _tag, _security, "
                     "_count and _sort can be used");
    if (name.empty() || !std::all_of(name.begin(), name.end(),
                                     [](char c) { return IsAlphanumeric(c) || c == '-' || c == '_'; }))
      return Wrong(Code::kSyntax, part, "\"" + std::string(name) + "\" is no name of a search parameter");
    if (modifier != "" && modifier != "in") return Outside(part, "of the modifiers only :in can be used");
    if (modifier.empty() && part.substr(0, equals).ends_with(':'))
      return Wrong(Code::kSyntax, part, "\":\" without a modifier");
    STEPWISE_RETURN_IF_ERROR(CheckValue(part, name, value));
    parsed_.parameters.push_back({std::string(name), std::string(modifier), std::string(value)});
    return {};
  }

  Status CheckValue(std::string_view part, std::string_view name, std::string_view value) const {
    if (name == "_count") {
      const bool number = std::all_of(value.begin(), value.end(), IsDigit) && value.size() <= 6;
      if (!number || value.find_first_not_of('0') == std::string_view::npos)
        return Outside(part, "expected a whole number from 1 to 999999");
      return {};
    }
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t end = std::min(value.find(',', begin), value.size());
      const std::string_view one = value.substr(begin, end - begin);
      begin = end + 1;
      if (one.empty())
        return Wrong(Code::kSyntax, part, "an empty value among those of " + std::string(name));
      STEPWISE_RETURN_IF_ERROR(name == "_sort" ? CheckSortKey(part, one) : CheckOne(part, one));
    }
    return {};
  }

  Status CheckSortKey(std::string_view part, std::string_view key) const {
    if (key.starts_with('-')) key.remove_prefix(1);
    const bool name = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
      return IsAlphanumeric(c) || c == '-' || c == '_';
    });
    if (!name) return Outside(part, "expected names of search parameters, with \"-\" for the latest first");
    return {};
  }

  // A prefix counts as one where a date or a number follows: anything else is the code of a token.
  Status CheckOne(std::string_view part, std::string_view value) const {
    if (value.find('$') != std::string_view::npos)
      return Outside(part, "composite parameters cannot be used");
    const auto prefix = std::find_if(std::begin(kPrefixes), std::end(kPrefixes), [&](const Prefix& one) {
      return value.starts_with(one.text) && value.size() > one.text.size() && IsDigit(value[one.text.size()]);
    });
    if (prefix == std::end(kPrefixes)) return {};
    const std::string_view rest = value.substr(prefix->text.size());
    const bool ordered = std::all_of(rest.begin(), rest.end(), [](char c) {
      return IsDigit(c) || std::string_view("-:.TZ+%").find(c) != std::string_view::npos;
    });
    if (!ordered) return {};
    if (!prefix->allowed) return Outside(part, "of the prefixes only eq, lt, gt, ge and le can be used");
    std::string date(rest);
    if (const std::size_t plus = date.find("%2B"); plus != std::string::npos) date.replace(plus, 3, "+");
    if (!DateTime::ParseDateTime(date)) return Outside(part, "prefixes can be used with dates only");
    return {};
  }

  ParsedTemplate parsed_;
};

const UserToken* FindUserToken(std::string_view name) {
  const auto found = std::find_if(std::begin(kUserTokens), std::end(kUserTokens),
                                  [&](const UserToken& user) { return user.name == name; });
  return found == std::end(kUserTokens) ? nullptr : found;
}

const ContextField* FindField(std::string_view name, const HookSpec& hook) {
  const auto found = std::find_if(hook.fields.begin(), hook.fields.end(),
                                  [&](const ContextField& field) { return field.name == name; });
  return found == hook.fields.end() ? nullptr : &*found;
}

// The field of the context that "context.patientId" names; nullptr: none that can be a token.
const ContextField* FieldOfToken(std::string_view token, const HookSpec& hook) {
  if (!token.starts_with(kContext)) return nullptr;
  const ContextField* field = FindField(token.substr(kContext.size()), hook);
  return field != nullptr && field->prefetch_token ? field : nullptr;
}

tl::unexpected<Error> NoValue(const TemplateToken& token, std::string path) {
  return Fail(Code::kFailedPrecondition, "{{" + token.name + "}} has no value in this request", {},
              std::move(path));
}

Result<std::string_view> UserId(const TemplateToken& token, const UserToken& user, const Request& request) {
  const Node node = request.context.Child("userId");
  std::string_view id = node ? node.string() : std::string_view();
  if (!id.starts_with(user.type)) return NoValue(token, "context.userId");
  id.remove_prefix(user.type.size());
  if (!id.starts_with('/')) return NoValue(token, "context.userId");
  id.remove_prefix(1);
  if (!IsId(id))
    return Fail(Code::kInvalidArgument, "expected a FHIR id after the type", {}, "context.userId");
  return id;
}

Result<std::string_view> ValueOf(const TemplateToken& token, const Request& request) {
  if (const UserToken* user = FindUserToken(token.name)) return UserId(token, *user, request);
  const ContextField* field = FieldOfToken(token.name, *request.hook);
  const Node node = field == nullptr ? Node() : request.context.Child(field->name);
  if (!node || node.string().empty()) return NoValue(token, token.name);
  std::string_view value = node.string();
  if (field->type == FieldType::kId) {
    for (const TypedId& typed : kTypedIds) {
      if (field->name == typed.field && value.starts_with(typed.prefix))
        value.remove_prefix(typed.prefix.size());
    }
    if (!IsId(value)) return Fail(Code::kInvalidArgument, "expected a FHIR id", {}, token.name);
  } else if (!IsReference(value)) {
    return Fail(Code::kInvalidArgument, "expected a reference, such as \"Practitioner/1\"", {}, token.name);
  }
  return value;
}

// May the token stand where it stands? A reference is a whole query or a value in a search, an id is not the
// former.
bool Fits(const TemplateToken& token, const ParsedTemplate& parsed, const HookSpec& hook) {
  if (FindUserToken(token.name) != nullptr)
    return FindField("userId", hook) != nullptr && parsed.kind != TemplateKind::kReference;
  const ContextField* field = FieldOfToken(token.name, hook);
  if (field == nullptr) return false;
  return parsed.kind == TemplateKind::kSearch ||
         (parsed.kind == TemplateKind::kReference) == (field->type == FieldType::kReference);
}

// What a template may hold and a URL may not; "%" starts an escape already.
void AppendEncoded(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == '|') {
      out += "%7C";
    } else if (c == '+') {
      out += "%2B";
    } else {
      out += c;
    }
  }
}

}  // namespace

Result<ParsedTemplate> ParseTemplate(std::string_view text) { return TemplateParser(text).Parse(); }

Status CheckTokens(const ParsedTemplate& parsed, const HookSpec& hook) {
  for (const TemplateToken& token : parsed.tokens) {
    if (Fits(token, parsed, hook)) continue;
    std::string known;
    for (const ContextField& field : hook.fields) {
      if (field.prefetch_token) known += "context." + std::string(field.name) + ", ";
    }
    return Fail(
        Code::kSemantic,
        "the hook " + std::string(hook.hook) + " has no token {{" + token.name + "}} for this place; use " +
            known + "or the id of the user (userPractitionerId, ...)",
        {"", 1, static_cast<std::uint32_t>(token.begin) + 1, static_cast<std::uint32_t>(token.length)});
  }
  return {};
}

Result<std::string> Resolve(const ParsedTemplate& parsed, const Request& request) {
  std::string query;
  std::size_t copied = 0;
  for (const TemplateToken& token : parsed.tokens) {
    AppendEncoded(std::string_view(parsed.text).substr(copied, token.begin - copied), query);
    STEPWISE_ASSIGN_OR_RETURN(const std::string_view value, ValueOf(token, request));
    query += value;
    copied = token.begin + token.length;
  }
  AppendEncoded(std::string_view(parsed.text).substr(copied), query);
  return query;
}

}  // namespace stepwise::cds_hooks
