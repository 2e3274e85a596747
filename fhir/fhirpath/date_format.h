// Dates and times written in another form than ISO 8601: the format codes of toDate() and toDateTime().
//
//   ParseWithFormat("15-01-2024", "dd-MM-yyyy")->ToString() == "2024-01-15"
//   ParseWithFormat("12-27", "MM-yy")->ToString() == "2027-12"
//
// Codes: yyyy, yy (50-99: 19xx, 00-49: 20xx), M, MM, MMM and MMMM (English names), d, dd, H, HH, h, hh (with
// `a`: 1-12; without: 0-23), m, mm, s, ss, S... (fraction of a second), a (AM, PM, A, P), Z (+0200, +02:00,
// Z). Everything else, z (zone names) included, stands for itself. Source: FHIRPath 3.0 (STU), "Date/DateTime
// String Format Codes".
#ifndef STEPWISE_FHIR_FHIRPATH_DATE_FORMAT_H_
#define STEPWISE_FHIR_FHIRPATH_DATE_FORMAT_H_

#include <optional>
#include <string_view>

#include "fhir/date_time.h"

namespace stepwise::fhirpath {

// A DateTime as precise as the format. nullopt: the text does not follow the format, there is no such day, or
// the format leaves a gap (a day without a month).
std::optional<DateTime> ParseWithFormat(std::string_view text, std::string_view format);

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_DATE_FORMAT_H_
