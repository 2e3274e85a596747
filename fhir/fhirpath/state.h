// EvaluationState: memory and counters of an Evaluation. Internal to fhir/fhirpath.
//
// Results live in an arena of blocks that Reset() rewinds; temporary vectors are borrowed from a pool. After
// the first runs have grown them, nothing is allocated.
#ifndef STEPWISE_FHIR_FHIRPATH_STATE_H_
#define STEPWISE_FHIR_FHIRPATH_STATE_H_

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fhir/fhirpath/fhirpath.h"

namespace stepwise::fhirpath {

class Arena {
 public:
  void* Allocate(std::size_t bytes) {
    bytes = (bytes + 15) & ~std::size_t{15};
    while (block_ < blocks_.size() && used_ + bytes > blocks_[block_].size) {
      ++block_;
      used_ = 0;
    }
    if (block_ == blocks_.size()) {
      const std::size_t size = std::max(bytes, kBlock);
      blocks_.push_back({std::unique_ptr<std::byte[]>(new std::byte[size]), size});
      used_ = 0;
    }
    void* result = blocks_[block_].bytes.get() + used_;
    used_ += bytes;
    return result;
  }
  // Rewinds; what one huge run needed beyond kKept bytes is given back.
  void Reset() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      kept += blocks_[i].size;
      if (kept > kKept) {
        blocks_.resize(i + (i == 0 ? 1 : 0));
        break;
      }
    }
    block_ = 0;
    used_ = 0;
  }

 private:
  static constexpr std::size_t kBlock = 16 * 1024;
  static constexpr std::size_t kKept = 4u << 20;
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size;
  };
  std::vector<Block> blocks_;
  std::size_t block_ = 0;
  std::size_t used_ = 0;
};

// Vectors that come back: Take() an empty one, Give() it back when done.
template <typename T>
class VectorPool {
 public:
  std::vector<T>* Take() {
    if (free_.empty()) {
      all_.push_back(std::make_unique<std::vector<T>>());
      free_.reserve(all_.size());
      return all_.back().get();
    }
    std::vector<T>* vector = free_.back();
    free_.pop_back();
    return vector;
  }
  void Give(std::vector<T>* vector) {
    vector->clear();
    if (vector->capacity() > kKept) vector->shrink_to_fit();
    free_.push_back(vector);
  }

 private:
  static constexpr std::size_t kKept = 64 * 1024;
  std::vector<std::unique_ptr<std::vector<T>>> all_;
  std::vector<std::vector<T>*> free_;
};

// Where references lead: every resource of the known documents by "Type/id" and by fullUrl.
class ReferenceIndex {
 public:
  void Clear();
  void Add(const Document* document);
  bool Has(const Document* document) const;
  // The resource that `reference` names as seen from `from`; a null Node if it is not here.
  Node Resolve(std::string_view reference, Node from);

 private:
  struct Entry {
    std::uint64_t hash;
    Node node;
  };
  void Build();
  std::vector<const Document*> documents_;
  std::vector<Entry> entries_;
  bool built_ = false;
};

struct EvaluationState {
  EvaluationOptions options;
  Arena arena;
  VectorPool<Item> items;
  VectorPool<std::uint64_t> words;
  ReferenceIndex references;
  // Environment of the present Run.
  std::optional<Item> resource, root_resource, context, input;
  // Why.
  std::vector<Node> sources;
  std::vector<std::string> unknowns;
  // Limits.
  static constexpr std::int64_t kStepsBetweenLooks = 4096;
  std::int64_t steps = 0;
  std::int64_t next_look = 0;  // step at which the limits of steps and time are looked at again
  std::int64_t deadline_ns = 0;
  int recursion = 0;
  std::optional<Error> error;
  // Documents made by instance selectors; they live as long as the results.
  std::vector<std::unique_ptr<Document>> made;
};

// A borrowed vector of items.
class Scratch {
 public:
  explicit Scratch(EvaluationState& state) : state_(state), items_(state.items.Take()) {}
  ~Scratch() { state_.items.Give(items_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::vector<Item>& operator*() { return *items_; }
  std::vector<Item>* operator->() { return items_; }
  Items view() const { return *items_; }

 private:
  EvaluationState& state_;
  std::vector<Item>* items_;
};

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_STATE_H_
