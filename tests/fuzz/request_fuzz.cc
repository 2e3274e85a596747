// Any bytes either are a CDS Hooks request or are refused with a reason; what is accepted names a patient and
// can be asked for its prefetch. The same for feedback on cards.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "cds_hooks/feedback.h"
#include "cds_hooks/prefetch.h"
#include "cds_hooks/request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stepwise;
  const Result<Document> document = Document::Parse(std::string(reinterpret_cast<const char*>(data), size));
  if (!document) {
    if (document.error().message.empty()) std::abort();
    return 0;
  }
  if (const auto feedback = cds_hooks::ReadFeedback(*document); !feedback) {
    if (feedback.error().message.empty() || feedback.error().code != Code::kInvalidArgument) std::abort();
  } else {
    for (const cds_hooks::Feedback& one : *feedback) {
      if (one.card.empty() || !one.at.has_offset) std::abort();
    }
  }
  const Result<cds_hooks::Request> request = cds_hooks::ReadRequest(*document, nullptr);
  if (!request) {
    if (request.error().message.empty() || request.error().code != Code::kInvalidArgument) std::abort();
    return 0;
  }
  if (request->hook == nullptr || request->hook_instance.empty() || request->patient_id.empty()) std::abort();
  const std::vector<rules::PrefetchTemplate> templates = {
      {"meds", "MedicationRequest?patient={{context.patientId}}", true, {}},
      {"pain", "Observation?patient={{context.patientId}}&_count=1", false, {}},
  };
  for (const Error& error : cds_hooks::MissingPrefetch(*request, templates)) {
    if (error.path != "prefetch.meds") std::abort();
  }
  return 0;
}
