// Some rows copied one after the other, in the order in which a solver visits them: what costs time in a random order is
// waiting for memory, which the copy does for many rows at once, on another thread where there is one.
//
//   gather(rows, numbers)    copies the rows of these numbers
//   dot(i, w)                x . w of copy i, in eight sums of every eighth column: zeros change nothing, so dense and sparse
//                            rows agree
//   add(i, c, w)             w += c x
//   each(i, f)               f(column, value) for the stored entries
// Where kPairs is set, two vectors may also lie side by side, (w_0, u_0, w_1, u_1, ...), so that an entry touches one line of
// the cache for both: dot_pairs(i, pairs) is x . w, and add_pairs(i, c, d, pairs) adds c x to w and d x to u.
// Everything is widened to double. Thread-safe but for gather.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/solver/row_access.hpp"

namespace mlwright::solver {

// copy(row) for rows in order, each asked for some rows before: first where it starts, then its entries.
template <class Rows, class Copy>
void for_scattered(const Rows& rows, std::span<const std::int64_t> numbers, Copy&& copy) {
  constexpr std::size_t kAhead = 8;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i + 2 * kAhead < numbers.size()) rows.prefetch_start(numbers[i + 2 * kAhead]);
    if (i + kAhead < numbers.size()) rows.prefetch(numbers[i + kAhead]);
    copy(numbers[i]);
  }
}

template <class Rows>
class RowBlock;

template <class T>
class RowBlock<DenseRows<T>> {
 public:
  static constexpr bool kPairs = false;

  void gather(const DenseRows<T>& rows, std::span<const std::int64_t> numbers) {
    cols_ = rows.cols();
    values_.resize(numbers.size() * static_cast<std::size_t>(cols_));
    auto to = values_.begin();
    for_scattered(rows, numbers, [&](index_t row) { to = std::ranges::copy(rows.values(row), to).out; });
  }

  double dot(index_t i, const double* w) const {
    const T* x = row(i);
    double sum[8] = {};
    index_t j = 0;
    for (; j + 8 <= cols_; j += 8)
      for (int k = 0; k < 8; ++k) sum[k] += static_cast<double>(x[j + k]) * w[j + k];
    for (; j < cols_; ++j) sum[j & 7] += static_cast<double>(x[j]) * w[j];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
  }
  void add(index_t i, double c, double* w) const {
    const T* x = row(i);
    for (index_t j = 0; j < cols_; ++j) w[j] += c * static_cast<double>(x[j]);
  }
  template <class F>
  void each(index_t i, F&& f) const {
    const T* x = row(i);
    for (index_t j = 0; j < cols_; ++j) f(j, static_cast<double>(x[j]));
  }

 private:
  const T* row(index_t i) const { return values_.data() + i * cols_; }

  std::vector<T> values_;
  index_t cols_ = 0;
};

// Eight sums in registers. A term goes to the one of its column and zeros to the others: written to memory, each sum would
// wait for the store before.
class EightSums {
 public:
  void add(index_t column, double term) {
    alignas(64) static constexpr std::int64_t kOnly[8][8] = {
        {-1}, {0, -1}, {0, 0, -1}, {0, 0, 0, -1}, {0, 0, 0, 0, -1}, {0, 0, 0, 0, 0, -1}, {0, 0, 0, 0, 0, 0, -1},
        {0, 0, 0, 0, 0, 0, 0, -1}};
    const std::int64_t* mask = kOnly[column & 7];
    const Pair both{term, term};
    for (int i = 0; i < 4; ++i) sum_[i] += only(mask + 2 * i, both);
  }
  double total() const {
    return ((sum_[0][0] + sum_[2][0]) + (sum_[1][0] + sum_[3][0])) + ((sum_[0][1] + sum_[2][1]) + (sum_[1][1] + sum_[3][1]));
  }

 private:
  typedef double Pair __attribute__((vector_size(16)));
  typedef std::int64_t Mask __attribute__((vector_size(16)));
  static Pair only(const std::int64_t* mask, Pair x) {
    return (Pair)((Mask)x & *reinterpret_cast<const Mask*>(mask));
  }
  Pair sum_[4] = {};
};

template <class T, class Index>
class RowBlock<CsrRows<T, Index>> {
 public:
  static constexpr bool kPairs = true;

  void gather(const CsrRows<T, Index>& rows, std::span<const std::int64_t> numbers) {
    start_.assign(1, 0);
    for (const index_t row : numbers) start_.push_back(start_.back() + static_cast<index_t>(rows.values(row).size()));
    const auto size = static_cast<std::size_t>(start_.back());
    columns_.resize(size + kAhead);
    values_.resize(size);
    auto column = columns_.begin();
    auto value = values_.begin();
    for_scattered(rows, numbers, [&](index_t row) {
      column = std::ranges::copy(rows.columns(row), column).out;
      value = std::ranges::copy(rows.values(row), value).out;
    });
    std::fill(column, columns_.end(), Index{0});
  }

  double dot(index_t i, const double* w) const { return strided_dot<1>(i, w); }
  double dot_pairs(index_t i, const double* pairs) const { return strided_dot<2>(i, pairs); }
  void add(index_t i, double c, double* w) const {
    each(i, [&](index_t j, double x) { w[j] += c * x; });
  }
  void add_pairs(index_t i, double c, double d, double* pairs) const {
    typedef double Pair __attribute__((vector_size(16)));
    const Pair factor{c, d};
    each(i, [&](index_t j, double x) {
      Pair pair;
      std::memcpy(&pair, pairs + 2 * j, sizeof pair);
      pair += factor * x;
      std::memcpy(pairs + 2 * j, &pair, sizeof pair);
    });
  }
  template <class F>
  void each(index_t i, F&& f) const {
    const Index* column = columns_.data();
    const T* value = values_.data();
    for (index_t k = start_[static_cast<std::size_t>(i)], end = start_[static_cast<std::size_t>(i) + 1]; k < end; ++k)
      f(static_cast<index_t>(column[k]), static_cast<double>(value[k]));
  }

 private:
  static constexpr index_t kAhead = 64;  // entries between asking for a coefficient and reading it

  template <int step>
  double strided_dot(index_t i, const double* w) const {
    EightSums sums;
    const Index* column = columns_.data();
    const T* value = values_.data();
    for (index_t k = start_[static_cast<std::size_t>(i)], end = start_[static_cast<std::size_t>(i) + 1]; k < end; ++k) {
      __builtin_prefetch(w + step * static_cast<index_t>(column[k + kAhead]));
      const auto j = static_cast<index_t>(column[k]);
      sums.add(j, static_cast<double>(value[k]) * w[step * j]);
    }
    return sums.total();
  }

  std::vector<index_t> start_;
  std::vector<Index> columns_;
  std::vector<T> values_;
};

}  // namespace mlwright::solver
