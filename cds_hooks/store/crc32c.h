// CRC-32C (Castagnoli), eight bytes a step.
//
//   Crc32c("123456789") == 0xE3069283
//
// Source: RFC 3720, appendix B.4; tables as in "Novel Table Lookup-Based Algorithms for High-Performance CRC
// Generation" (Kounavis and Berry, 2008). Thread-safety: pure.
#ifndef STEPWISE_CDS_HOOKS_STORE_CRC32C_H_
#define STEPWISE_CDS_HOOKS_STORE_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace stepwise::cds_hooks {

std::uint32_t Crc32c(std::string_view bytes);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_CRC32C_H_
