#include "fhir/rest/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace stepwise::rest {
namespace {

// Of IPv6 only 2000::/3 has been given out for the public internet, so all the rest is refused at one go: it
// holds loopback, unique local (fc00::/7), link-local (fe80::/10), multicast (ff00::/8) and what is to come.
constexpr const char* kNotPublic[] = {
    "0.0.0.0/8",        // this network, RFC 791
    "10.0.0.0/8",       // private use, RFC 1918
    "100.64.0.0/10",    // shared address space of carriers, RFC 6598
    "127.0.0.0/8",      // loopback, RFC 1122
    "169.254.0.0/16",   // link-local, RFC 3927
    "172.16.0.0/12",    // private use, RFC 1918
    "192.0.0.0/24",     // IETF protocol assignments, RFC 6890
    "192.0.2.0/24",     // documentation, RFC 5737
    "192.88.99.0/24",   // 6to4 relays, deprecated by RFC 7526
    "192.168.0.0/16",   // private use, RFC 1918
    "198.18.0.0/15",    // benchmarking, RFC 2544
    "198.51.100.0/24",  // documentation, RFC 5737
    "203.0.113.0/24",   // documentation, RFC 5737
    "224.0.0.0/4",      // multicast, RFC 5771
    "240.0.0.0/4",      // reserved and broadcast, RFC 1112, RFC 919
    "2001::/23",        // IETF protocol assignments with Teredo, RFC 2928, RFC 4380
    "2001:db8::/32",    // documentation, RFC 3849
    "3fff::/20",        // documentation, RFC 9637
};
constexpr const char* kV4Mapped = "::ffff:0:0/96";  // RFC 4291
constexpr const char* kV6Public = "2000::/3";       // RFC 3587
constexpr const char* k6to4 = "2002::/16";          // RFC 3056: IPv4 in bytes 2 to 5
constexpr const char* kNat64 = "64:ff9b::/96";      // RFC 6052: IPv4 in bytes 12 to 15

IpAddress MapV4(const std::uint8_t* bytes) {
  IpAddress out{};
  out[10] = out[11] = 0xff;
  std::copy_n(bytes, 4, out.begin() + 12);
  return out;
}

}  // namespace

std::optional<IpAddress> ParseAddress(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;  // inet_pton() reads no further
  std::uint8_t v4[4];
  if (::inet_pton(AF_INET, terminated.c_str(), v4) == 1) return MapV4(v4);
  IpAddress v6;
  if (::inet_pton(AF_INET6, terminated.c_str(), v6.data()) == 1) return v6;
  return std::nullopt;
}

std::optional<IpAddress> AddressOf(const sockaddr& address) {
  IpAddress out{};
  if (address.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    std::uint8_t bytes[4];
    std::memcpy(bytes, &v4.sin_addr, sizeof bytes);
    return MapV4(bytes);
  }
  if (address.sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6;
  std::memcpy(&v6, &address, sizeof v6);
  std::memcpy(out.data(), &v6.sin6_addr, out.size());
  return out;
}

bool AddressGuard::Network::Contains(const IpAddress& other) const {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(address.begin(), address.begin() + whole, other.begin())) return false;
  if (bits % 8 == 0) return true;
  return ((address[whole] ^ other[whole]) >> (8 - bits % 8)) == 0;
}

std::optional<AddressGuard::Network> AddressGuard::ParseNetwork(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<IpAddress> address = ParseAddress(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  const bool v4 = text.find(':') == std::string_view::npos;
  int bits = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (!address || error != std::errc() || end != digits.data() + digits.size() || bits < 0 ||
      bits > (v4 ? 32 : 128)) {
    return std::nullopt;
  }
  return Network{*address, v4 ? bits + 96 : bits};
}

Result<AddressGuard> AddressGuard::Make(std::span<const std::string> allowed_networks) {
  AddressGuard guard;
  for (const std::string& text : allowed_networks) {
    const std::optional<Network> network = ParseNetwork(text);
    const auto wrong = [&](std::string_view what) {
      return Fail(Code::kInvalidArgument, "network `" + text + "` " + std::string(what));
    };
    if (!network) return wrong("is no CIDR block such as 10.1.0.0/16 or fd00::/8");
    for (int bit = network->bits; bit < 128; ++bit) {
      if ((network->address[static_cast<std::size_t>(bit / 8)] >> (7 - bit % 8) & 1) != 0)
        return wrong("has bits set past its length");
    }
    guard.allowed_.push_back(*network);
  }
  return guard;
}

bool AddressGuard::IsPublic(const IpAddress& address) {
  static const std::vector<Network> not_public = [] {
    std::vector<Network> networks;
    for (const char* text : kNotPublic) networks.push_back(*ParseNetwork(text));
    return networks;
  }();
  static const Network v4_mapped = *ParseNetwork(kV4Mapped), v6_public = *ParseNetwork(kV6Public),
                       v6_to_v4 = *ParseNetwork(k6to4), nat64 = *ParseNetwork(kNat64);
  if (v6_to_v4.Contains(address)) return IsPublic(MapV4(address.data() + 2));
  if (nat64.Contains(address)) return IsPublic(MapV4(address.data() + 12));
  if (!v4_mapped.Contains(address) && !v6_public.Contains(address)) return false;
  return std::none_of(not_public.begin(), not_public.end(),
                      [&](const Network& network) { return network.Contains(address); });
}

bool AddressGuard::Allows(const IpAddress& address) const {
  return IsPublic(address) || std::any_of(allowed_.begin(), allowed_.end(),
                                          [&](const Network& network) { return network.Contains(address); });
}

}  // namespace stepwise::rest
