// Catalog: the services on offer, derived from the packs in force, and the discovery document that says so.
//
//   Result<Catalog> catalog = BuildCatalog(packs);
//   catalog->discovery ->
//   {"services":[{"hook":"order-sign","id":"stepwise-order-sign",...,"prefetch":{...}}]}
//   catalog->Find("stepwise-order-sign")->prefetch
//
// A service is offered for each hook that some pack has a rule for. Its prefetch is the union of what the
// packs read, by key. Templates may use only what CDS Hooks 2.0 allows (cds_hooks/prefetch_template.h);
// clients refuse services that do otherwise. Errors: kSemantic, a template outside of that or two packs that
// give one key different queries; the message names pack, key and query. Source: CDS Hooks 2.0.1,
// "Discovery", "Prefetch Template". Thread-safety: immutable once built.
#ifndef STEPWISE_CDS_HOOKS_DISCOVERY_H_
#define STEPWISE_CDS_HOOKS_DISCOVERY_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cds_hooks/hook.h"
#include "fhir/result.h"
#include "rules/evaluator.h"

namespace stepwise::cds_hooks {

struct CatalogEntry {
  const HookSpec* hook = nullptr;
  std::vector<rules::PrefetchTemplate> prefetch;  // one per key, in the order packs name them
};

struct Catalog {
  std::vector<CatalogEntry> services;
  std::vector<rules::PackRef> packs;
  std::string discovery;  // body of GET /cds-services

  const CatalogEntry* Find(std::string_view service_id) const;  // nullptr: not on offer
  const CatalogEntry* FindByHook(std::string_view hook) const;
};

Result<Catalog> BuildCatalog(std::span<const rules::PackInfo> packs);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_DISCOVERY_H_
