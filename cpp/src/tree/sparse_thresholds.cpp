#include <algorithm>
#include <compare>
#include <string>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/tree/binning.hpp"
#include "mlwright/tree/sparse_bins.hpp"
#include "tree/quantile_cuts.hpp"
#include "tree/rows_looked_at.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kColumnGrain = 16;
const std::uint64_t kZero = to_key(0.0);

struct Stored {  // a value that is not missing, in a row that is looked at
  std::uint64_t key;
  std::uint32_t row;
  auto operator<=>(const Stored&) const = default;
};

// The rows that are looked at, and a test of whether a row is one of them.
struct Looked {
  const std::vector<std::uint32_t>& rows;
  std::vector<std::uint8_t> mark;  // empty: all rows

  Looked(const std::vector<std::uint32_t>& some, index_t n_rows) : rows(some) {
    if (static_cast<index_t>(rows.size()) == n_rows) return;
    mark.assign(static_cast<std::size_t>(n_rows), 0);
    for (const std::uint32_t row : rows) mark[row] = 1;
  }
  bool has(std::size_t row) const { return mark.empty() || mark[row] != 0; }
};

template <class T, class Index>
class Column {
 public:
  Column(const SparseColumns<T, Index>& x, index_t j, const Looked& looked) : looked_(looked) {
    const auto begin = static_cast<std::size_t>(x.pointer[static_cast<std::size_t>(j)]);
    const auto end = static_cast<std::size_t>(x.pointer[static_cast<std::size_t>(j) + 1]);
    n_zeros_ = static_cast<index_t>(looked.rows.size());
    for (std::size_t k = begin; k < end; ++k) {
      const auto row = static_cast<std::size_t>(x.row[k]);
      if (!looked.has(row)) continue;
      const auto value = static_cast<double>(x.value[k]);
      const bool missing = value != value;
      if (missing || value != 0) {
        --n_zeros_;
        not_zero_.push_back(static_cast<std::uint32_t>(row));
      }
      if (!missing && value != 0) stored_.push_back({to_key(value), static_cast<std::uint32_t>(row)});
    }
    if (!std::ranges::is_sorted(stored_)) std::ranges::sort(stored_);
  }

  // Of the weighted rows; without weights, every row counts one. Sums are only needed where there are many values.
  Runs runs(std::span<const double> weight, int max_bins) const {
    Runs runs = distinct();
    if (runs.value.size() <= static_cast<std::size_t>(max_bins)) return runs;
    runs.value.clear();
    double sum = 0;
    std::size_t k = 0;
    const auto add_stored = [&](bool below_zero) {
      for (; k < stored_.size() && (!below_zero || stored_[k].key < kZero); ++k) {
        sum += weight.empty() ? 1.0 : weight[stored_[k].row];
        put(runs, from_key<double>(stored_[k].key), sum);
      }
    };
    add_stored(true);
    if (n_zeros_ > 0) {
      sum = weight.empty() ? sum + static_cast<double>(n_zeros_) : with_zeros(sum, weight);
      put(runs, 0.0, sum);
    }
    add_stored(false);
    return runs;
  }

 private:
  static void put(Runs& runs, double value, double cumulative) {
    if (runs.value.empty() || runs.value.back() != value) {
      runs.value.push_back(value);
      runs.cumulative.push_back(cumulative);
    }
    runs.cumulative.back() = cumulative;
  }

  Runs distinct() const {
    Runs runs;
    bool zero = n_zeros_ > 0;
    for (const Stored& s : stored_) {
      if (zero && s.key > kZero) {
        runs.value.push_back(0.0);
        zero = false;
      }
      const double value = from_key<double>(s.key);
      if (runs.value.empty() || runs.value.back() != value) runs.value.push_back(value);
    }
    if (zero) runs.value.push_back(0.0);
    return runs;
  }

  // The weights of the rows that hold zero, added in row order.
  double with_zeros(double sum, std::span<const double> weight) const {
    std::size_t next = 0;
    for (const std::uint32_t row : looked_.rows) {
      while (next < not_zero_.size() && not_zero_[next] < row) ++next;
      if (next < not_zero_.size() && not_zero_[next] == row) continue;
      sum += weight[row];
    }
    return sum;
  }

  const Looked& looked_;
  std::vector<Stored> stored_;
  std::vector<std::uint32_t> not_zero_;  // rows that hold another value, or none
  index_t n_zeros_;
};

}  // namespace

template <class T, class Index>
Thresholds find_thresholds(const SparseColumns<T, Index>& x, std::span<const double> weight, int max_bins, std::uint64_t seed,
                           runtime::CancelToken& token) {
  if (max_bins < 2 || max_bins > kMaxBins)
    throw InvalidArgument("max_bins: got " + std::to_string(max_bins) + ", expected 2 to 255");
  const std::vector<std::uint32_t> rows = rows_to_look_at(x.n_rows, weight, seed);
  const Looked looked(rows, x.n_rows);
  std::vector<std::vector<double>> cuts(static_cast<std::size_t>(x.n_cols()));
  runtime::parallel_for(x.n_cols(), kColumnGrain, token, [&](index_t, index_t begin, index_t end) {
    for (index_t j = begin; j < end; ++j)
      cuts[static_cast<std::size_t>(j)] = cuts_of(Column(x, j, looked).runs(weight, max_bins), max_bins);
  });
  return join(cuts);
}

#define MLWRIGHT_INSTANTIATE(T, Index)                                                                               \
  template Thresholds find_thresholds(const SparseColumns<T, Index>&, std::span<const double>, int, std::uint64_t, \
                                      runtime::CancelToken&);
MLWRIGHT_INSTANTIATE(double, std::int32_t)
MLWRIGHT_INSTANTIATE(double, std::int64_t)
MLWRIGHT_INSTANTIATE(float, std::int32_t)
MLWRIGHT_INSTANTIATE(float, std::int64_t)
#undef MLWRIGHT_INSTANTIATE

}  // namespace mlwright::tree
