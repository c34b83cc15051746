#include "sampler/ranks.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "mlwright/base/normal.hpp"

namespace mlwright::sampler {
namespace {

constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
constexpr int kBits = 11, kPasses = 6;
constexpr std::size_t kBuckets = std::size_t{1} << kBits;

std::uint64_t key_of(double x) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(x + 0.0);  // -0 becomes 0: the two are ties
  return bits & kSign ? ~bits : bits | kSign;
}

double number_of(std::uint64_t key) noexcept { return std::bit_cast<double>(key & kSign ? key ^ kSign : ~key); }

}  // namespace

Ranks::Ranks(index_t n)
    : n_(n),
      by_twice_rank_(static_cast<std::size_t>(2 * n + 1)),
      items_(static_cast<std::size_t>(n)),
      spare_(items_.size()),
      sorted_(items_.size()),
      folded_(items_.size()),
      order_(items_.size()),
      folded_order_(items_.size()) {
  for (index_t twice = 2; twice <= 2 * n; ++twice)
    by_twice_rank_[static_cast<std::size_t>(twice)] =
        normal_quantile((0.5 * static_cast<double>(twice) - 0.375) / (static_cast<double>(n) + 0.25));
}

// Least significant digit first; passes in which all keys share a digit are left out.
void Ranks::sort(const double* x) {
  std::array<std::array<std::uint32_t, kBuckets>, kPasses> counts{};
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const std::uint64_t key = key_of(x[i]);
    items_[i] = {key, static_cast<std::uint32_t>(i)};
    for (int pass = 0; pass < kPasses; ++pass) ++counts[static_cast<std::size_t>(pass)][(key >> (kBits * pass)) % kBuckets];
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    auto& count = counts[static_cast<std::size_t>(pass)];
    const int shift = kBits * pass;
    if (count[(items_[0].key >> shift) % kBuckets] == items_.size()) continue;
    std::uint32_t start = 0;
    for (std::uint32_t& c : count) start += std::exchange(c, start);
    for (const Item& item : items_) spare_[count[(item.key >> shift) % kBuckets]++] = item;
    items_.swap(spare_);
  }
  for (std::size_t i = 0; i < items_.size(); ++i) {
    sorted_[i] = number_of(items_[i].key);
    order_[i] = items_[i].place;
  }
}

double Ranks::quantile(double p) const noexcept {
  const double at = static_cast<double>(n_) * p + (1 - p);
  const auto k = static_cast<index_t>(std::clamp(at, 1.0, static_cast<double>(std::max<index_t>(n_ - 1, 1))));
  const double part = std::clamp(at - static_cast<double>(k), 0.0, 1.0);
  const auto i = static_cast<std::size_t>(k - 1), next = std::min(i + 1, sorted_.size() - 1);
  return (1 - part) * sorted_[i] + part * sorted_[next];
}

template <class Equal>
void Ranks::score(const std::vector<std::uint32_t>& places, Equal&& equal, double* z) const noexcept {
  for (std::size_t begin = 0, end; begin < places.size(); begin = end) {
    for (end = begin + 1; end < places.size() && equal(begin, end); ++end) {
    }
    const double s = by_twice_rank_[begin + end + 1];  // twice the mean of the ranks begin + 1 .. end
    for (std::size_t i = begin; i < end; ++i) z[places[i]] = s;
  }
}

void Ranks::normal_scores(double* z) const noexcept {
  score(order_, [&](std::size_t a, std::size_t b) { return sorted_[a] == sorted_[b]; }, z);
}

void Ranks::folded_scores(double* z) {
  const std::size_t n = sorted_.size();
  const double median = n % 2 == 1 ? sorted_[n / 2] : 0.5 * (sorted_[n / 2 - 1] + sorted_[n / 2]);
  std::size_t left = static_cast<std::size_t>(std::lower_bound(sorted_.begin(), sorted_.end(), median) - sorted_.begin());
  std::size_t right = left;
  for (std::size_t i = 0; i < n; ++i) {
    const double below = left > 0 ? std::fabs(sorted_[left - 1] - median) : HUGE_VAL;
    const double above = right < n ? std::fabs(sorted_[right] - median) : HUGE_VAL;
    const std::size_t from = above <= below && right < n ? right++ : --left;
    folded_[i] = std::min(below, above);
    folded_order_[i] = order_[from];
  }
  score(folded_order_, [&](std::size_t a, std::size_t b) { return folded_[a] == folded_[b]; }, z);
}

}  // namespace mlwright::sampler
