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
  const cds_hooks::FeedbackBatch feedback = cds_hooks::ReadFeedback(*document);
  if (feedback.entries.empty() && feedback.errors.empty()) std::abort();
  for (const Error& error : feedback.errors) {
    if (error.message.empty() || error.code != Code::kInvalidArgument) std::abort();
  }
  for (const cds_hooks::Feedback& one : feedback.entries) {
    if (one.card.empty() || one.card.size() > 64 || !one.at.has_offset) std::abort();
    if (one.comment.size() > cds_hooks::FeedbackLimits().max_text_bytes) std::abort();
    if (!one.overridden && !one.reason.code.empty()) std::abort();
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
  for (const Error& error : cds_hooks::MissingPrefetch(cds_hooks::PrefetchGaps(*request, templates))) {
    if (error.path != "prefetch.meds") std::abort();
  }
  return 0;
}
