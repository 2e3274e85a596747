// What Beast's parser keeps a request in: a body that grows as its bytes come, and headers whose memory is
// wiped when it is given back, since one of them is the client's access token. Details of HttpSession.
#ifndef STEPWISE_CDS_HOOKS_HTTP_BODY_H_
#define STEPWISE_CDS_HOOKS_HTTP_BODY_H_

#include <openssl/crypto.h>

#include <algorithm>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/optional.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace stepwise::cds_hooks {

// Beast's string_body takes memory for the announced length at once: 1024 clients could take it all with a
// line each.
struct GrowingBody {
  static constexpr std::size_t kReserve = 64 << 10;  // most requests never grow past it
  static constexpr std::size_t kPadding = 64;        // the JSON parser wants so much after the text

  using value_type = std::string;
  static std::uint64_t size(const value_type& body) { return body.size(); }

  class reader {
   public:
    template <bool is_request, class Fields>
    reader(boost::beast::http::header<is_request, Fields>&, value_type& body) : body_(body) {}

    void init(const boost::optional<std::uint64_t>& length, boost::beast::error_code& error) {
      body_.reserve(std::min<std::size_t>(length.value_or(0), kReserve) + kPadding);
      error = {};
    }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, boost::beast::error_code& error) {
      std::size_t taken = 0;
      for (const auto buffer : boost::beast::buffers_range_ref(buffers)) {
        body_.append(static_cast<const char*>(buffer.data()), buffer.size());
        taken += buffer.size();
      }
      error = {};
      return taken;
    }
    void finish(boost::beast::error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

template <class T>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <class Other>
  WipingAllocator(const WipingAllocator<Other>&) {}

  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) {
    OPENSSL_cleanse(static_cast<void*>(memory), count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator&) const { return true; }
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_HTTP_BODY_H_
