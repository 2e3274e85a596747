#include <gtest/gtest.h>
#include <netinet/in.h>

#include "fhir/rest/address_guard.h"

namespace stepwise::rest {
namespace {

struct Row {
  const char* address;
  bool allowed;
};

void Expect(const std::vector<std::string>& networks, std::span<const Row> rows) {
  const Result<AddressGuard> guard = AddressGuard::Make(networks);
  ASSERT_TRUE(guard) << guard.error().message;
  for (const Row& row : rows) {
    const std::optional<IpAddress> address = ParseAddress(row.address);
    ASSERT_TRUE(address) << row.address;
    EXPECT_EQ(guard->Allows(*address), row.allowed) << row.address;
  }
}

TEST(RestAddressGuard, LetsOnlyPublicAddressesThrough) {
  const Row rows[] = {
      {"93.184.215.14", true},
      {"1.1.1.1", true},
      {"9.255.255.255", true},
      {"11.0.0.0", true},
      {"0.0.0.0", false},
      {"0.1.2.3", false},
      {"10.0.0.0", false},
      {"10.255.255.255", false},
      {"100.63.255.255", true},
      {"100.64.0.0", false},
      {"100.127.255.255", false},
      {"100.128.0.0", true},
      {"127.0.0.1", false},
      {"127.255.255.255", false},
      {"128.0.0.1", true},
      {"169.253.255.255", true},
      {"169.254.169.254", false},
      {"169.255.0.0", true},
      {"172.15.255.255", true},
      {"172.16.0.0", false},
      {"172.31.255.255", false},
      {"172.32.0.0", true},
      {"192.0.0.8", false},
      {"192.0.1.1", true},
      {"192.0.2.1", false},
      {"192.88.99.1", false},
      {"192.168.0.1", false},
      {"192.169.0.1", true},
      {"198.17.255.255", true},
      {"198.18.0.0", false},
      {"198.19.255.255", false},
      {"198.20.0.0", true},
      {"198.51.100.7", false},
      {"203.0.113.7", false},
      {"223.255.255.255", true},
      {"224.0.0.1", false},
      {"239.255.255.255", false},
      {"240.0.0.1", false},
      {"255.255.255.255", false},

      {"2606:4700:4700::1111", true},
      {"2a00:1450:4001:80b::200e", true},
      {"::", false},
      {"::1", false},
      {"::7f00:1", false},  // IPv4-compatible, given up
      {"fc00::1", false},
      {"fd12:3456::1", false},
      {"fe80::1", false},
      {"febf::1", false},
      {"fec0::1", false},
      {"ff02::1", false},
      {"100::1", false},
      {"2001::1", false},      // Teredo
      {"2001:1ff::1", false},  // IETF protocol assignments
      {"2001:200::1", true},
      {"2001:db8::1", false},
      {"2001:db9::1", true},
      {"3fff::1", false},
      {"4000::1", false},
      {"64:ff9b:1::1", false},  // NAT64 for local use

      {"::ffff:127.0.0.1", false},
      {"::ffff:169.254.169.254", false},
      {"::ffff:1.1.1.1", true},
      {"2002:7f00:1::", false},    // 6to4 of 127.0.0.1
      {"2002:a01:203::1", false},  // 6to4 of 10.1.2.3
      {"2002:101:101::1", true},   // 6to4 of 1.1.1.1
      {"64:ff9b::10.0.0.1", false},
      {"64:ff9b::169.254.169.254", false},
      {"64:ff9b::1.1.1.1", true},
  };
  Expect({}, rows);
}

TEST(RestAddressGuard, LetsListedNetworksThrough) {
  const Row rows[] = {
      {"127.0.0.1", true},        {"::ffff:127.0.0.1", true}, {"::1", false},         {"10.1.0.1", true},
      {"10.1.255.255", true},     {"10.2.0.1", false},        {"172.20.8.1", true},   {"172.20.15.255", true},
      {"172.20.16.0", false},     {"192.168.7.7", true},      {"192.168.7.8", false}, {"fd00:1::5", true},
      {"fd00:2::5", false},       {"2002:a01:203::1", false},  // listed is 10.1.0.0/16, not the tunnel to it
      {"169.254.169.254", false}, {"1.1.1.1", true},
  };
  Expect({"127.0.0.0/8", "10.1.0.0/16", "172.20.8.0/21", "192.168.7.7/32", "fd00:1::/32"}, rows);
  const Row all[] = {{"127.0.0.1", true}, {"169.254.169.254", true}, {"::1", false}};
  Expect({"0.0.0.0/0"}, all);
  const Row all6[] = {{"127.0.0.1", true}, {"::1", true}};
  Expect({"::/0"}, all6);
}

TEST(RestAddressGuard, RefusesWhatIsNoNetwork) {
  for (const char* text : {"", "127.0.0.1", "127.0.0.1/", "127.0.0.0/33", "127.0.0.0/-1", "127.0.0.0/8x",
                           "127/8", "localhost/8", "::/129", "10.0.0.1/8", "fd00::1/8"}) {
    const std::vector<std::string> networks = {text};
    const auto guard = AddressGuard::Make(networks);
    ASSERT_FALSE(guard) << text;
    EXPECT_NE(guard.error().message.find("network `" + std::string(text) + "` "), std::string::npos);
  }
}

TEST(RestAddressGuard, ReadsSocketAddresses) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(AddressOf(reinterpret_cast<const sockaddr&>(v4)), ParseAddress("127.0.0.1"));
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  EXPECT_EQ(AddressOf(reinterpret_cast<const sockaddr&>(v6)), ParseAddress("::1"));
  v6.sin6_family = AF_UNIX;
  EXPECT_EQ(AddressOf(reinterpret_cast<const sockaddr&>(v6)), std::nullopt);
}

}  // namespace
}  // namespace stepwise::rest
