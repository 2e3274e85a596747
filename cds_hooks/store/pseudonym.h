// Pseudonyms: how records name a patient, and keep the suppression keys made of one, without holding any id.
//
//   Pseudonyms names(key);
//   names.Of("p1") -> "9f2c..."                  the same on every node that has the same key
//   names.Reveal(uuid, names.Hide(uuid, card.suppression_key)) -> the key
//
// A suppression key (rules/suppression.h) is a plain hash over the patient's id: whoever has a list of ids
// can try them. So it is encrypted, with a key of its own that is derived from that of the pseudonyms. Nodes
// that share a store share the key file. Errors: Sealer's. Thread-safety: immutable.
#ifndef STEPWISE_CDS_HOOKS_STORE_PSEUDONYM_H_
#define STEPWISE_CDS_HOOKS_STORE_PSEUDONYM_H_

#include <string>
#include <string_view>

#include "cds_hooks/store/key_file.h"
#include "cds_hooks/store/sealed.h"
#include "rules/facts.h"

namespace stepwise::cds_hooks {

class Pseudonyms {
 public:
  explicit Pseudonyms(const Key& key)
      : key_(HmacOf(key, "stepwise patients")),
        hidden_(std::vector<Key>{HmacOf(key, "stepwise suppression")}) {}

  // `patient`: "p1" or "Patient/p1"; 32 hex digits, "" for "".
  std::string Of(std::string_view patient) const {
    const std::string_view id = rules::BareId(patient);
    if (id.empty()) return "";
    const Key hash = HmacOf(key_, id);
    return Hex({reinterpret_cast<const char*>(hash.data()), 16});
  }
  std::string Hide(std::string_view card, std::string_view suppression_key) const {
    return hidden_.Seal(card, suppression_key);
  }
  Result<std::string> Reveal(std::string_view card, std::string_view hidden) const {
    return hidden_.Open(card, hidden);
  }

 private:
  Key key_;
  Sealer hidden_;
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_PSEUDONYM_H_
