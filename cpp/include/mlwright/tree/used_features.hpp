// The features that a forest asks for, ascending, and the place of each among them.
//
// Memory is bounded by a constant plus the number of nodes, whatever number of features a file states: a table up to
// 2^20 features, beyond that sorted numbers and binary search. Thread-safe once built.
// Cost: O(nodes), or O(nodes log nodes) where a feature beyond 2^20 is asked for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mlwright::tree {

class UsedFeatures {
 public:
  UsedFeatures() = default;

  // From the features of all nodes, in any order and with repetitions; negative ones are leaves.
  explicit UsedFeatures(std::vector<std::int32_t> features) {
    std::int32_t largest = -1;
    for (const std::int32_t j : features) largest = std::max(largest, j);
    if (largest >= kTable) {
      std::erase_if(features, [](std::int32_t j) { return j < 0; });
      std::sort(features.begin(), features.end());
      features.erase(std::unique(features.begin(), features.end()), features.end());
      list_ = std::move(features);
      return;
    }
    place_.assign(static_cast<std::size_t>(largest + 1), -1);
    for (const std::int32_t j : features)
      if (j >= 0) place_[static_cast<std::size_t>(j)] = 0;
    for (std::size_t j = 0; j < place_.size(); ++j)
      if (place_[j] == 0) {
        place_[j] = static_cast<std::int32_t>(list_.size());
        list_.push_back(static_cast<std::int32_t>(j));
      }
  }

  const std::vector<std::int32_t>& list() const noexcept { return list_; }

  // j: one of list().
  std::int32_t place_of(std::int32_t j) const noexcept {
    if (!place_.empty()) return place_[static_cast<std::size_t>(j)];
    return static_cast<std::int32_t>(std::lower_bound(list_.begin(), list_.end(), j) - list_.begin());
  }

 private:
  static constexpr std::int32_t kTable = 1 << 20;
  std::vector<std::int32_t> list_, place_;
};

}  // namespace mlwright::tree
