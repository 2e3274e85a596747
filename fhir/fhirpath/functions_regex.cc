// Regular expressions: RE2, so that no expression can take more than linear time.
//
// As the specification asks: Unicode, case-sensitive, '.' matches line ends too, ^ and $ are the ends of the
// whole text ('m' makes them those of each line). What PCRE has and RE2 has not (look-around, references
// back, atomic groups) is refused by name.
#include <re2/re2.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "fhir/fhirpath/functions.h"
#include "fhir/utf8.h"

namespace stepwise::fhirpath {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// What RE2 cannot do, if `rest` begins with it: the text after a '(' that is not in a class.
std::string_view UnsupportedGroup(std::string_view rest) {
  if (rest.starts_with("?=") || rest.starts_with("?!")) return "look-ahead";
  if (rest.starts_with("?<=") || rest.starts_with("?<!")) return "look-behind";
  if (rest.starts_with("?>")) return "an atomic group";
  if (rest.starts_with("?(")) return "a conditional group";
  if (rest.starts_with("?P=")) return "a reference back to a group";
  return {};
}

// PCRE text as RE2 takes it: (?<name>...) becomes (?P<name>...), \uXXXX becomes \x{XXXX}.
// The string is what is not supported, when something is not.
struct Translation {
  std::string pattern;
  std::string_view unsupported;
};
Translation Translate(std::string_view pattern) {
  Translation result;
  std::string& out = result.pattern;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    out += c;
    if (c == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      if (!in_class && ((next >= '1' && next <= '9') || next == 'k')) {
        result.unsupported = "a reference back to a group";
        return result;
      }
      if (next == 'u' && i + 4 < pattern.size()) {
        out += "x{";
        out += pattern.substr(i + 1, 4);
        out += '}';
        i += 4;
      } else {
        out += next;
      }
    } else if (in_class) {
      if (c == ']') in_class = false;
    } else if (c == '[') {
      in_class = true;
      // A ']' that comes first is an ordinary character.
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') out += pattern[++i];
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') out += pattern[++i];
    } else if (c == '(') {
      const std::string_view rest = pattern.substr(i + 1);
      result.unsupported = UnsupportedGroup(rest);
      if (!result.unsupported.empty()) return result;
      if (rest.starts_with("?<")) {
        out += "?P";
        ++i;
      }
    }
  }
  return result;
}

// 'i' and 'm'.
struct Flags {
  bool ignore_case = false;
  bool every_line = false;
  friend bool operator==(const Flags&, const Flags&) = default;
};

// Compiled expressions of this thread, the last used first. 32 are more than a rule pack uses in one run.
class RegexCache {
 public:
  const RE2* Find(std::string_view text, Flags flags) {
    const auto found = std::ranges::find_if(
        entries_, [&](const Entry& entry) { return entry.text == text && entry.flags == flags; });
    if (found == entries_.end()) return nullptr;
    std::rotate(entries_.begin(), found, found + 1);
    return entries_.front().regex.get();
  }
  const RE2* Insert(std::string_view text, Flags flags, std::unique_ptr<RE2> regex) {
    if (entries_.size() == kCapacity) entries_.pop_back();
    entries_.insert(entries_.begin(), Entry{std::string(text), flags, std::move(regex)});
    return entries_.front().regex.get();
  }

 private:
  static constexpr std::size_t kCapacity = 32;
  struct Entry {
    std::string text;
    Flags flags;
    std::unique_ptr<RE2> regex;
  };
  std::vector<Entry> entries_;
};

Result<Flags> ParseFlags(Call& call, int index) {
  Flags flags;
  if (!call.has(index)) return flags;
  for (const char c : call.arg(index).string()) {
    if (c != 'i' && c != 'm') {
      return call.Fail(Code::kSemantic,
                       "'" + std::string(call.arg(index).string()) +
                           "': the flags of a regular expression are 'i' (ignore case) and 'm' "
                           "(^ and $ match at every line)");
    }
    (c == 'i' ? flags.ignore_case : flags.every_line) = true;
  }
  return flags;
}

// The expression in argument 0, with the flags in argument `flags_index`.
Result<const RE2*> Regex(Call& call, int flags_index) {
  thread_local RegexCache cache;
  const std::string_view text = call.arg(0).string();
  STEPWISE_ASSIGN_OR_RETURN(const Flags flags, ParseFlags(call, flags_index));
  if (const RE2* known = cache.Find(text, flags)) return known;

  if (text.size() > call.limits().max_regex) {
    return call.Fail(Code::kLimit, "the regular expression has " + std::to_string(text.size()) +
                                       " bytes; the limit is " + std::to_string(call.limits().max_regex));
  }
  const Translation translation = Translate(text);
  if (!translation.unsupported.empty()) {
    return call.Fail(Code::kSemantic, "regular expression '" + std::string(text) +
                                          "': " + std::string(translation.unsupported) +
                                          " is not supported, because it has no bound on the time it takes");
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_case_sensitive(!flags.ignore_case);
  options.set_max_mem(1 << 20);
  auto regex = std::make_unique<RE2>((flags.every_line ? "(?m)" : "") + translation.pattern, options);
  if (!regex->ok()) {
    return call.Fail(Code::kSemantic, "regular expression '" + std::string(text) + "': " + regex->error());
  }
  return cache.Insert(text, flags, std::move(regex));
}

Status Matches(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const RE2* regex, Regex(call, 1));
  call.Emit(RE2::PartialMatch(call.one().string(), *regex));
  return {};
}

Status MatchesFull(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const RE2* regex, Regex(call, 1));
  call.Emit(RE2::FullMatch(call.one().string(), *regex));
  return {};
}

// A substitution taken apart: text, then a group, then text, ...
struct Piece {
  std::string_view text;
  int group = -1;  // -1: none
};

// Group that `name` (digits or a name) means; -1 if the expression has none.
int GroupOf(const RE2& regex, std::string_view name) {
  if (!name.empty() && std::ranges::all_of(name, IsDigit)) {
    if (name.size() > 4) return -1;
    const int number = std::stoi(std::string(name));
    return number <= regex.NumberOfCapturingGroups() ? number : -1;
  }
  const auto& groups = regex.NamedCapturingGroups();
  const auto found = groups.find(std::string(name));
  return found == groups.end() ? -1 : found->second;
}

// $1, ${1} and ${name} are groups, $$ is a dollar sign. As in .NET, whose syntax the specification shows, all
// other dollar signs stand for themselves.
std::vector<Piece> ParseSubstitution(const RE2& regex, std::string_view text) {
  std::vector<Piece> pieces;
  std::size_t from = 0;
  const auto add = [&](std::size_t at, int group, std::size_t next) {
    pieces.push_back({text.substr(from, at - from), group});
    from = next;
  };
  for (std::size_t at = text.find('$'); at != std::string_view::npos;
       at = text.find('$', std::max(at + 1, from))) {
    if (at + 1 == text.size()) break;
    if (text[at + 1] == '$') {
      add(at + 1, -1, at + 2);
    } else if (text[at + 1] == '{') {
      const std::size_t end = text.find('}', at);
      if (end == std::string_view::npos) break;
      const int group = GroupOf(regex, text.substr(at + 2, end - at - 2));
      if (group >= 0) add(at, group, end + 1);
    } else {
      // As many digits as make a group.
      std::size_t end = at + 1;
      while (end < text.size() && end < at + 4 && IsDigit(text[end])) ++end;
      for (; end > at + 1; --end) {
        const int group = GroupOf(regex, text.substr(at + 1, end - at - 1));
        if (group < 0) continue;
        add(at, group, end);
        break;
      }
    }
  }
  pieces.push_back({text.substr(from)});
  return pieces;
}

Status ReplaceMatches(Call& call) {
  const std::string_view text = call.one().string();
  if (call.arg(0).string().empty()) return EmitText(call, text);
  STEPWISE_ASSIGN_OR_RETURN(const RE2* regex, Regex(call, 2));
  const std::vector<Piece> pieces = ParseSubstitution(*regex, call.arg(1).string());
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex->NumberOfCapturingGroups()) + 1);
  std::string out;
  std::size_t from = 0;  // what is not in `out` yet
  std::size_t search = 0;
  std::size_t last_end = std::string_view::npos;
  while (search <= text.size() && regex->Match(text, search, text.size(), RE2::UNANCHORED, groups.data(),
                                               static_cast<int>(groups.size()))) {
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    const std::size_t end = begin + groups[0].size();
    // Nothing, right after a match, is no match of its own.
    if (begin != end || begin != last_end) {
      out += text.substr(from, begin - from);
      for (const Piece& piece : pieces) {
        out += piece.text;
        if (piece.group >= 0) out += std::string_view(groups[static_cast<std::size_t>(piece.group)]);
      }
      STEPWISE_RETURN_IF_ERROR(CheckSize(call, out.size()));
      from = last_end = end;
    }
    search = end;
    if (begin == end) search += end < text.size() ? CodePointSize(text, end) : 1;
  }
  out += text.substr(from);
  return EmitText(call, out);
}

constexpr Parameter kRegexParameter{Want::kString, "regex"};
constexpr Parameter kFlagsParameter{Want::kString, "flags", true};

constexpr Builtin kRows[] = {
    {.name = "matches",
     .input = Want::kString,
     .params = {{kRegexParameter, kFlagsParameter}},
     .result = types::kSystemBoolean,
     .fn = Matches,
     .doc =
         "Whether a regular expression matches anywhere in the text; flags 'i' (ignore case), 'm' (lines).",
     .spec = "fhirpath#matches"},
    {.name = "matchesFull",
     .input = Want::kString,
     .params = {{kRegexParameter, kFlagsParameter}},
     .result = types::kSystemBoolean,
     .fn = MatchesFull,
     .doc = "Whether a regular expression matches the whole text; flags 'i' (ignore case), 'm' (lines).",
     .spec = "fhirpath#matchesfull"},
    {.name = "replaceMatches",
     .input = Want::kString,
     .params = {{kRegexParameter, {Want::kString, "substitution"}, kFlagsParameter}},
     .result = types::kSystemString,
     .fn = ReplaceMatches,
     .doc =
         "The text with every match of a regular expression replaced; $1 and ${name} stand for its groups.",
     .spec = "fhirpath#replacematches"},
};

}  // namespace

std::span<const Builtin> RegexFunctions() { return kRows; }

}  // namespace stepwise::fhirpath
