// Which columns are in a set: by column, and as a list.
#pragma once

#include <cstddef>
#include <vector>

namespace mlwright::sampler {

class Members {
 public:
  explicit Members(std::size_t p) : place_(p, kOut) {}

  bool in(std::size_t j) const noexcept { return place_[j] != kOut; }
  std::size_t place(std::size_t j) const noexcept { return place_[j]; }
  std::size_t size() const noexcept { return list_.size(); }
  const std::vector<std::size_t>& list() const noexcept { return list_; }

  void clear() {
    for (const std::size_t j : list_) place_[j] = kOut;
    list_.clear();
  }
  void flip(std::size_t j) {
    const std::size_t r = place_[j];
    if (r == kOut) {
      place_[j] = list_.size();
      list_.push_back(j);
      return;
    }
    place_[j] = kOut;
    list_.erase(list_.begin() + static_cast<std::ptrdiff_t>(r));
    for (std::size_t a = r; a < list_.size(); ++a) place_[list_[a]] = a;
  }

 private:
  static constexpr std::size_t kOut = static_cast<std::size_t>(-1);
  std::vector<std::size_t> place_, list_;
};

}  // namespace mlwright::sampler
