#include "mlwright/cluster/seeding.hpp"

#include <algorithm>
#include <numeric>

#include "mlwright/runtime/ordered_reduce.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "mlwright/runtime/rng.hpp"

namespace mlwright::cluster {
namespace {

constexpr index_t kRanges = 1024, kRangeShift = 54;
constexpr index_t kRows = 4096;  // of a chunk
constexpr std::uint32_t kPlusPlus = 0x4B2B, kRandomRows = 0x4B52;

// Rows in the order of their keys, and draws from it.
class KeyOrder {
 public:
  KeyOrder(std::span<const std::uint64_t> keys, runtime::CancelToken& token)
      : keys_(keys), order_(keys.size()), start_(static_cast<std::size_t>(kRanges) + 1, 0) {
    for (const std::uint64_t key : keys) ++start_[static_cast<std::size_t>(range(key)) + 1];
    std::partial_sum(start_.begin(), start_.end(), start_.begin());
    std::vector<index_t> next(start_.begin(), start_.end() - 1);
    for (std::size_t r = 0; r < keys.size(); ++r) order_[static_cast<std::size_t>(next[static_cast<std::size_t>(range(keys[r]))]++)] = static_cast<index_t>(r);
    runtime::parallel_for(kRanges, 16, token, [&](index_t, index_t begin, index_t end) {
      for (index_t b = begin; b < end; ++b)
        std::sort(order_.begin() + start_[static_cast<std::size_t>(b)], order_.begin() + start_[static_cast<std::size_t>(b) + 1],
                  [&](index_t a, index_t c) { return keys_[static_cast<std::size_t>(a)] < keys_[static_cast<std::size_t>(c)]; });
    });
  }
  static index_t range(std::uint64_t key) { return static_cast<index_t>(key >> kRangeShift); }

  // Sums of mass(r) over each range of keys, over rows in their own order.
  template <class Mass>
  std::vector<double> range_sums(Mass&& mass, runtime::CancelToken& token) const {
    std::vector<double> total(static_cast<std::size_t>(kRanges), 0.0);
    runtime::ordered_reduce(
        static_cast<index_t>(keys_.size()), 8 * kRows, token, [] { return std::vector<double>(static_cast<std::size_t>(kRanges)); },
        [&](std::vector<double>& part, index_t begin, index_t end) {
          std::fill(part.begin(), part.end(), 0.0);
          for (index_t r = begin; r < end; ++r) part[static_cast<std::size_t>(range(keys_[static_cast<std::size_t>(r)]))] += mass(r);
        },
        [&](const std::vector<double>& part) {
          for (std::size_t b = 0; b < part.size(); ++b) total[b] += part[b];
        });
    return total;
  }

  // The row that u (in [0, 1)) falls on, rows being as long as mass(r) says; -1 where all mass is zero.
  template <class Mass>
  index_t draw(double u, const std::vector<double>& sums, Mass&& mass) const {
    double left = u * std::accumulate(sums.begin(), sums.end(), 0.0);
    index_t last = -1;
    for (index_t b = 0; b < kRanges; ++b) {
      const double sum = sums[static_cast<std::size_t>(b)];
      if (!(sum > 0.0)) continue;
      if (left >= sum) {
        left -= sum;
        last = b;
        continue;
      }
      return within(b, left, mass);
    }
    return last < 0 ? -1 : within(last, sums[static_cast<std::size_t>(last)], mass);  // rounding took u beyond the end
  }

  // All rows whose keys are in the range of this row's.
  template <class Visit>
  void for_range(index_t row, Visit&& visit) const {
    const auto b = static_cast<std::size_t>(range(keys_[static_cast<std::size_t>(row)]));
    for (index_t at = start_[b]; at < start_[b + 1]; ++at) visit(order_[static_cast<std::size_t>(at)]);
  }

 private:
  template <class Mass>
  index_t within(index_t b, double left, Mass&& mass) const {
    index_t last = -1;
    for (index_t at = start_[static_cast<std::size_t>(b)]; at < start_[static_cast<std::size_t>(b) + 1]; ++at) {
      const index_t r = order_[static_cast<std::size_t>(at)];
      const double length = mass(r);
      if (!(length > 0.0)) continue;
      last = r;
      if (left < length) break;
      left -= length;
    }
    return last;
  }

  std::span<const std::uint64_t> keys_;
  std::vector<index_t> order_, start_;
};

// Rows of candidates as centres, and the squared distances of all points to them.
class Trials {
 public:
  explicit Trials(const Points& points) : points_(points), zero_(static_cast<std::size_t>(points.cols()), 0.0) {}

  // squared: points x rows.size(); closest (may be null): the distances so far, of which the least is taken. Returns for each
  // candidate the sum of w times its squared distances.
  std::vector<double> measure(const std::vector<index_t>& rows, const double* w, const double* closest, double* squared,
                              runtime::CancelToken& token) const {
    const auto count = static_cast<index_t>(rows.size()), p = points_.cols();
    std::vector<double> values(static_cast<std::size_t>(count * p), 0.0), total(static_cast<std::size_t>(count), 0.0);
    for (index_t i = 0; i < count; ++i) points_.add(rows[static_cast<std::size_t>(i)], 1.0, values.data() + i * p);
    Centers centers(count, p, {zero_, 1.0}, points_.sparse());
    centers.set(values);
    struct Mine {
      std::vector<std::int32_t> offset = std::vector<std::int32_t>(static_cast<std::size_t>(kRows));
      Workspace work;
    };
    runtime::PerWorker<Mine> scratch([] { return Mine(); });
    runtime::ordered_reduce(
        points_.rows(), kRows, token, [&] { return std::vector<double>(static_cast<std::size_t>(count)); },
        [&](std::vector<double>& part, index_t begin, index_t end) {
          Mine& mine = scratch.local();
          std::iota(mine.offset.begin(), mine.offset.begin() + (end - begin), 0);
          points_.to_all(centers, {begin, mine.offset.data(), end - begin}, squared + begin * count, mine.work);
          std::fill(part.begin(), part.end(), 0.0);
          for (index_t r = begin; r < end; ++r)
            for (index_t i = 0; i < count; ++i) {
              double& d = squared[r * count + i];
              if (closest != nullptr) d = std::min(d, closest[r]);
              part[static_cast<std::size_t>(i)] += (w == nullptr ? 1.0 : w[r]) * d;
            }
        },
        [&](const std::vector<double>& part) {
          for (std::size_t i = 0; i < part.size(); ++i) total[i] += part[i];
        });
    return total;
  }

 private:
  const Points& points_;
  std::vector<double> zero_;
};

}  // namespace

std::vector<index_t> plus_plus(const Points& points, const double* w, std::span<const std::uint64_t> keys, index_t k,
                               index_t trials, std::uint64_t seed, runtime::CancelToken& token) {
  const index_t n = points.rows();
  const KeyOrder order(keys, token);
  runtime::Rng rng(seed, runtime::stream_id(kPlusPlus));
  const auto weight = [&](index_t r) { return w == nullptr ? 1.0 : w[r]; };
  const Trials tried_rows(points);
  std::vector<index_t> chosen{order.draw(rng.uniform(), order.range_sums(weight, token), weight)};
  std::vector<double> closest(static_cast<std::size_t>(n)), squared(static_cast<std::size_t>(n * trials));
  tried_rows.measure(chosen, w, nullptr, closest.data(), token);
  const auto mass = [&](index_t r) { return weight(r) * closest[static_cast<std::size_t>(r)]; };
  while (static_cast<index_t>(chosen.size()) < k) {
    const auto sums = order.range_sums(mass, token);
    std::vector<index_t> tried;
    for (index_t i = 0; i < trials; ++i) {
      const index_t row = order.draw(rng.uniform(), sums, mass);
      tried.push_back(row < 0 ? chosen.front() : row);  // every point is a centre already
    }
    const auto left = tried_rows.measure(tried, w, closest.data(), squared.data(), token);
    const auto best = std::min_element(left.begin(), left.end()) - left.begin();
    chosen.push_back(tried[static_cast<std::size_t>(best)]);
    for (index_t r = 0; r < n; ++r) closest[static_cast<std::size_t>(r)] = squared[static_cast<std::size_t>(r * trials + best)];
  }
  return chosen;
}

std::vector<index_t> random_rows(const double* w, std::span<const std::uint64_t> keys, index_t k, std::uint64_t seed,
                                 runtime::CancelToken& token) {
  const KeyOrder order(keys, token);
  runtime::Rng rng(seed, runtime::stream_id(kRandomRows));
  std::vector<double> left(keys.size(), 1.0);
  if (w != nullptr) std::copy_n(w, keys.size(), left.begin());
  const auto mass = [&](index_t r) { return left[static_cast<std::size_t>(r)]; };
  auto sums = order.range_sums(mass, token);
  std::vector<index_t> chosen;
  while (static_cast<index_t>(chosen.size()) < k) {
    const index_t row = order.draw(rng.uniform(), sums, mass);
    chosen.push_back(row < 0 ? chosen.front() : row);  // every content is drawn already
    if (row < 0) continue;
    const std::uint64_t key = keys[static_cast<std::size_t>(row)];
    double& sum = sums[static_cast<std::size_t>(KeyOrder::range(key))];
    sum = 0.0;
    order.for_range(row, [&](index_t r) {
      double& mine = left[static_cast<std::size_t>(r)];
      if (keys[static_cast<std::size_t>(r)] == key) mine = 0.0;
      sum += mine;
    });
  }
  return chosen;
}

}  // namespace mlwright::cluster
