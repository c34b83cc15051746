#include "sampler/ranks.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "mlwright/base/normal.hpp"
#include "sampler/moments.hpp"

namespace mlwright::sampler {
namespace {

constexpr int kBits = 11, kPasses = 2;
constexpr std::size_t kBuckets = std::size_t{1} << kBits;

// Cells of equal width from the lowest number to the highest; all numbers share one where they have no finite width.
class Cells {
 public:
  explicit Cells(Extremes of) : low_(of.low), per_unit_(kLast / (of.high - of.low)) {
    if (!(per_unit_ > 0.0 && per_unit_ <= std::numeric_limits<double>::max())) per_unit_ = 0.0;
  }
  std::uint64_t of(double x) const noexcept { return per_unit_ > 0.0 ? static_cast<std::uint64_t>((x - low_) * per_unit_) : 0; }

 private:
  static constexpr double kLast = static_cast<double>(kBuckets * kBuckets - 2);
  double low_, per_unit_;
};

}  // namespace

Ranks::Ranks(index_t n)
    : n_(n),
      by_twice_rank_(static_cast<std::size_t>(2 * n + 1)),
      items_(static_cast<std::size_t>(n)),
      spare_(items_.size()),
      sorted_(items_.size()),
      folded_(items_.size()),
      distance_(items_.size() + 2),
      order_(items_.size()),
      folded_order_(items_.size()) {
  for (index_t twice = 2; twice <= 2 * n; ++twice)
    by_twice_rank_[static_cast<std::size_t>(twice)] =
        normal_quantile((0.5 * static_cast<double>(twice) - 0.375) / (static_cast<double>(n) + 0.25));
}

// By cells, least significant digit first. Few draws share a cell; those that do are put in order one cell at a time.
void Ranks::sort(const double* x) {
  const std::size_t n = items_.size();
  const int place_bits = static_cast<int>(std::bit_width(n));
  const Cells cells(extremes(x, n_));
  std::array<std::array<std::uint32_t, kBuckets>, kPasses> counts{};
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t cell = cells.of(x[i]);
    items_[i] = cell << place_bits | i;
    for (int pass = 0; pass < kPasses; ++pass) ++counts[static_cast<std::size_t>(pass)][(cell >> (kBits * pass)) % kBuckets];
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    auto& count = counts[static_cast<std::size_t>(pass)];
    std::uint32_t start = 0;
    for (std::uint32_t& c : count) start += std::exchange(c, start);
    for (const std::uint64_t item : items_) spare_[count[(item >> (kBits * pass + place_bits)) % kBuckets]++] = item;
    items_.swap(spare_);
  }
  const std::uint64_t place = (std::uint64_t{1} << place_bits) - 1;
  for (std::size_t i = 0; i < n; ++i) order_[i] = static_cast<std::uint32_t>(items_[i] & place);
  sort_cells(x, place_bits);
  for (std::size_t i = 0; i < n; ++i) sorted_[i] = x[order_[i]];
}

void Ranks::sort_cells(const double* x, int place_bits) {
  const auto before = [x](std::uint32_t a, std::uint32_t b) { return x[a] != x[b] ? x[a] < x[b] : a < b; };
  const std::size_t n = items_.size();
  for (std::size_t begin = 0, end; begin < n; begin = end) {
    for (end = begin + 1; end < n && items_[begin] >> place_bits == items_[end] >> place_bits; ++end) {
    }
    std::uint32_t* const first = order_.data() + begin;
    std::uint32_t* const last = order_.data() + end;
    if (end - begin > 1 && !std::is_sorted(first, last, before)) std::sort(first, last, before);
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
  // Distances stand between two sentinels: that of sorted_[i] at i + 1.
  distance_.front() = distance_.back() = HUGE_VAL;
  for (std::size_t i = 0; i < n; ++i) distance_[i + 1] = std::fabs(sorted_[i] - median);
  std::size_t right = static_cast<std::size_t>(std::lower_bound(sorted_.begin(), sorted_.end(), median) - sorted_.begin()) + 1;
  std::size_t left = right - 1;
  for (std::size_t i = 0; i < n; ++i) {
    const double below = distance_[left], above = distance_[right];
    const std::size_t up = (above <= below) & (right <= n);  // as good as random: arithmetic, for a branch would be mispredicted
    folded_[i] = std::min(below, above);
    folded_order_[i] = order_[left + (right - left) * up - 1];
    right += up;
    left -= 1 - up;
  }
  score(folded_order_, [&](std::size_t a, std::size_t b) { return folded_[a] == folded_[b]; }, z);
}

}  // namespace mlwright::sampler
