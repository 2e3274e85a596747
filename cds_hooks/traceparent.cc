#include "cds_hooks/traceparent.h"

#include <algorithm>
#include <vector>

namespace stepwise::cds_hooks {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kVersionLength = 2, kTraceLength = 32, kSpanLength = 16, kFlagsLength = 2;
constexpr std::size_t kLength = kVersionLength + kTraceLength + kSpanLength + kFlagsLength + 3;
constexpr std::size_t kLongMember = 128;
constexpr std::uint8_t kSampled = 1;

bool IsHex(std::string_view text) { return text.find_first_not_of(kDigits) == std::string_view::npos; }
bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

std::string Hex(std::uint64_t bits) {
  std::string out(kSpanLength, '0');
  for (auto digit = out.rbegin(); digit != out.rend(); ++digit, bits >>= 4) *digit = kDigits[bits & 15];
  return out;
}

// `words` times 64 bits, which are not all zero.
std::string RandomHex(int words, const RandomBits& bits) {
  std::string out;
  while (IsZero(out)) {
    out.clear();
    for (int i = 0; i < words; ++i) out += Hex(bits());
  }
  return out;
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// key = lcalpha 0*255( lcalpha / DIGIT / "_" / "-" / "*" / "/" ), or tenant "@" system.
bool IsStateKey(std::string_view key) {
  const std::size_t at = key.find('@');
  const auto part = [](std::string_view text, std::size_t most, bool digit_first) {
    if (text.empty() || text.size() > most) return false;
    if (!(digit_first ? IsLowerOrDigit(text[0]) : text[0] >= 'a' && text[0] <= 'z')) return false;
    return std::ranges::all_of(
        text, [](char c) { return IsLowerOrDigit(c) || c == '_' || c == '-' || c == '*' || c == '/'; });
  };
  if (at == std::string_view::npos) return part(key, 256, false);
  return part(key.substr(0, at), 241, true) && part(key.substr(at + 1), 14, false);
}

bool IsStateValue(std::string_view value) {
  return !value.empty() && value.size() <= 256 && value.back() != ' ' &&
         std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(std::string_view traceparent) {
  const std::string_view text = Trim(traceparent);
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, kVersionLength), trace = text.substr(3, kTraceLength),
                         span = text.substr(36, kSpanLength), flags = text.substr(53, kFlagsLength);
  if (!IsHex(version) || !IsHex(trace) || !IsHex(span) || !IsHex(flags)) return std::nullopt;
  if (version == "ff" || IsZero(trace) || IsZero(span)) return std::nullopt;
  if (text.size() > kLength && (version == "00" || text[kLength] != '-')) return std::nullopt;
  const std::size_t high = kDigits.find(flags[0]), low = kDigits.find(flags[1]);
  return TraceContext{std::string(trace), std::string(span), static_cast<std::uint8_t>(high * 16 + low), ""};
}

std::string FormatTraceparent(const TraceContext& context) {
  return "00-" + context.trace_id + "-" + context.span_id + ((context.flags & kSampled) != 0 ? "-01" : "-00");
}

std::string PassTracestate(std::string_view tracestate) {
  std::vector<std::string_view> members, keys;
  for (std::string_view rest = tracestate; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view member = Trim(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (member.empty()) continue;  // allowed between two commas
    const std::size_t equals = std::min(member.find('='), member.size());
    const std::string_view key = member.substr(0, equals);
    if (equals == member.size() || !IsStateKey(key) || !IsStateValue(member.substr(equals + 1))) return "";
    if (std::ranges::find(keys, key) != keys.end()) return "";
    keys.push_back(key);
    members.push_back(member);
    if (members.size() > kMaxTracestateMembers) return "";
  }
  const auto length = [&] {
    std::size_t sum = members.empty() ? 0 : members.size() - 1;
    for (const std::string_view member : members) sum += member.size();
    return sum;
  };
  while (length() > kMaxTracestateBytes) {
    const auto last_long = std::find_if(members.rbegin(), members.rend(),
                                        [](auto member) { return member.size() > kLongMember; });
    members.erase(last_long == members.rend() ? members.end() - 1 : last_long.base() - 1);
  }
  std::string out;
  for (const std::string_view member : members) (out += out.empty() ? "" : ",") += member;
  return out;
}

TraceContext StartSpan(std::string_view traceparent, std::string_view tracestate, const RandomBits& bits) {
  std::optional<TraceContext> parent = ParseTraceparent(traceparent);
  if (!parent) return {RandomHex(2, bits), RandomHex(1, bits), 0, ""};
  parent->span_id = RandomHex(1, bits);
  parent->state = PassTracestate(tracestate);
  return *std::move(parent);
}

}  // namespace stepwise::cds_hooks
