#include "fhir/fhirpath/date_format.h"

#include <algorithm>
#include <array>
#include <string>

namespace stepwise::fhirpath {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"january",   "february", "march",    "april",
                                                      "may",       "june",     "july",     "august",
                                                      "september", "october",  "november", "december"};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads a text along a format.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // `count` times the letter `code`; false: the text is different.
  bool Take(char code, std::size_t count) {
    switch (code) {
      case 'y':
        if (count == 4) return Number(4, 4, &year_);
        if (count != 2) return Literal(code, count);
        if (!Number(2, 2, &year_)) return false;
        year_ += year_ < 50 ? 2000 : 1900;
        return true;
      case 'M':
        if (count == 3 || count == 4) return MonthName(count == 3);
        return count <= 2 ? Number(count, 2, &month_) : Literal(code, count);
      case 'd': return count <= 2 ? Number(count, 2, &day_) : Literal(code, count);
      case 'H':
      case 'h': return count <= 2 ? Number(count, 2, &hour_) : Literal(code, count);
      case 'm': return count <= 2 ? Number(count, 2, &minute_) : Literal(code, count);
      case 's': return count <= 2 ? Number(count, 2, &second_) : Literal(code, count);
      case 'S': return Fraction(count);
      case 'a': return count == 1 ? HalfDay() : Literal(code, count);
      case 'Z': return count == 1 ? Offset() : Literal(code, count);
      default: return Literal(code, count);
    }
  }

  std::optional<DateTime> Finish() {
    if (!text_.empty() || year_ < 0) return std::nullopt;
    if (half_day_ != 0) {
      if (hour_ < 1 || hour_ > 12) return std::nullopt;
      hour_ = hour_ % 12 + (half_day_ == 'p' ? 12 : 0);
    }
    // As ISO 8601, where the day's number and the rest are checked.
    std::string iso = Padded(year_, 4);
    bool ended = false;
    const auto append = [&](char separator, int value) {
      if (value < 0) {
        ended = true;
        return true;
      }
      iso += separator;
      iso += Padded(value, 2);
      return !ended;
    };
    if (!append('-', month_) || !append('-', day_) || !append('T', hour_) || !append(':', minute_) ||
        !append(':', second_)) {
      return std::nullopt;
    }
    if (!fraction_.empty()) {
      if (ended) return std::nullopt;
      iso += '.' + fraction_;
    }
    if (!offset_.empty() && hour_ < 0) return std::nullopt;
    return DateTime::ParseDateTime(iso + offset_);
  }

 private:
  static std::string Padded(int value, std::size_t width) {
    const std::string digits = std::to_string(value);
    return std::string(width - std::min(width, digits.size()), '0') + digits;
  }

  bool Literal(char c, std::size_t count) {
    if (text_.size() < count || text_.substr(0, count) != std::string(count, c)) return false;
    text_.remove_prefix(count);
    return true;
  }

  bool Number(std::size_t least, std::size_t most, int* value) {
    std::size_t count = 0;
    int number = 0;
    while (count < most && count < text_.size() && IsDigit(text_[count])) {
      number = number * 10 + (text_[count++] - '0');
    }
    if (count < least) return false;
    text_.remove_prefix(count);
    *value = number;
    return true;
  }

  bool MonthName(bool abbreviated) {
    for (std::size_t i = 0; i < kMonths.size(); ++i) {
      const std::string_view name = abbreviated ? kMonths[i].substr(0, 3) : kMonths[i];
      if (text_.size() < name.size() || !std::equal(name.begin(), name.end(), text_.begin(),
                                                    [](char a, char b) { return a == Lower(b); })) {
        continue;
      }
      text_.remove_prefix(name.size());
      month_ = static_cast<int>(i) + 1;
      return true;
    }
    return false;
  }

  bool Fraction(std::size_t count) {
    if (text_.size() < count ||
        !std::all_of(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(count), IsDigit)) {
      return false;
    }
    fraction_ = text_.substr(0, count);
    text_.remove_prefix(count);
    return true;
  }

  bool HalfDay() {
    if (text_.empty()) return false;
    half_day_ = Lower(text_[0]);
    if (half_day_ != 'a' && half_day_ != 'p') return false;
    text_.remove_prefix(text_.size() > 1 && Lower(text_[1]) == 'm' ? 2 : 1);
    return true;
  }

  bool Offset() {
    if (text_.empty()) return false;
    const char sign = text_[0];
    text_.remove_prefix(1);
    if (sign == 'Z') {
      offset_ = "Z";
      return true;
    }
    int hours = 0;
    int minutes = 0;
    if ((sign != '+' && sign != '-') || !Number(2, 2, &hours)) return false;
    if (text_.starts_with(':')) text_.remove_prefix(1);
    if (!Number(2, 2, &minutes)) return false;
    offset_ = sign + Padded(hours, 2) + ':' + Padded(minutes, 2);
    return true;
  }

  std::string_view text_;
  int year_ = -1, month_ = -1, day_ = -1, hour_ = -1, minute_ = -1, second_ = -1;
  std::string fraction_;
  std::string offset_;
  char half_day_ = 0;  // 'a' or 'p'
};

}  // namespace

std::optional<DateTime> ParseWithFormat(std::string_view text, std::string_view format) {
  Reader reader(text);
  while (!format.empty()) {
    const char code = format[0];
    const std::size_t count = std::min(format.find_first_not_of(code), format.size());
    if (!reader.Take(code, count)) return std::nullopt;
    format.remove_prefix(count);
  }
  return reader.Finish();
}

}  // namespace stepwise::fhirpath
