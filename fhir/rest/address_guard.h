// AddressGuard: which IP addresses a connection may go to, whatever a name resolved to.
//
//   AddressGuard guard = *AddressGuard::Make({"10.1.0.0/16"});
//   guard.Allows(*ParseAddress("10.1.2.3"))          // true: listed
//   guard.Allows(*ParseAddress("169.254.169.254"))   // false: link-local, the metadata service of clouds
//   guard.Allows(*ParseAddress("93.184.215.14"))     // true: an address of the public internet
//
// An allow-list of names does not say where they lead: whoever controls a name's DNS can point it at
// 127.0.0.1 after the check. So the address itself is looked at when the socket is opened. What is not
// public is refused unless its network is listed: loopback, private, link-local, shared (CGNAT), multicast,
// reserved, documentation, and IPv6 addresses that carry such an IPv4 address (mapped, 6to4, NAT64).
// Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and what it cites).
// Thread-safety: immutable after Make.
#ifndef STEPWISE_FHIR_REST_ADDRESS_GUARD_H_
#define STEPWISE_FHIR_REST_ADDRESS_GUARD_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/result.h"

struct sockaddr;

namespace stepwise::rest {

// 16 bytes in network order; an IPv4 address as ::ffff:a.b.c.d, which reaches the same peer.
using IpAddress = std::array<std::uint8_t, 16>;

std::optional<IpAddress> ParseAddress(std::string_view text);
std::optional<IpAddress> AddressOf(const sockaddr& address);  // nullopt: neither IPv4 nor IPv6

class AddressGuard {
 public:
  // `allowed_networks`: CIDR blocks ("127.0.0.0/8", "fd00::/8"). Errors: kInvalidArgument for what is none,
  // or has bits set past its length; the message repeats it.
  static Result<AddressGuard> Make(std::span<const std::string> allowed_networks);

  bool Allows(const IpAddress& address) const;

 private:
  struct Network {
    IpAddress address;
    int bits;  // of the 128
    bool Contains(const IpAddress& other) const;
  };
  static std::optional<Network> ParseNetwork(std::string_view text);
  static bool IsPublic(const IpAddress& address);

  std::vector<Network> allowed_;
};

}  // namespace stepwise::rest

#endif  // STEPWISE_FHIR_REST_ADDRESS_GUARD_H_
