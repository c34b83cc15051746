// Some rows copied one after the other, in the order in which a solver visits them: what costs time in a random order is
// waiting for memory, which the copy does for many rows at once, on another thread where there is one.
//
//   gather(rows, numbers)    copies the rows of these numbers; throws InvalidArgument where columns are out of range
//   dot(i, w)                x . w of copy i, in eight sums of every eighth stored entry: dense and sparse rows agree up to
//                            rounding
//   add(i, c, w)             w += c x
//   each(i, f)               f(column, value) for the stored entries
// Where kPairs is set, two vectors may also lie side by side, (w_0, u_0, w_1, u_1, ...), so that an entry touches one line of
// the cache for both: dot_pairs(i, pairs) is x . w, and add_pairs(i, c, d, pairs) adds c x to w and d x to u.
// Everything is widened to double. Thread-safe but for gather.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>
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

// Copies to `to` and returns the place behind. In the few wide instructions of memcpy: the processor then sees several rows
// ahead, which is what fills its queue of cache misses.
template <class T>
T* append(std::span<const T> from, T* to) {
  std::memcpy(to, from.data(), from.size_bytes());
  return to + from.size();
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

template <class T, class Index>
class RowBlock<CsrRows<T, Index>> {
 public:
  static constexpr bool kPairs = true;

  void gather(const CsrRows<T, Index>& rows, std::span<const std::int64_t> numbers) {
    start_.resize(numbers.size() + 1);
    index_t size = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      start_[i] = size;
      size += static_cast<index_t>(rows.values(numbers[i]).size());
    }
    start_[numbers.size()] = size;
    columns_.resize(static_cast<std::size_t>(size + kAhead));
    values_.resize(static_cast<std::size_t>(size));
    Index* column = columns_.data();
    T* value = values_.data();
    for_scattered(rows, numbers, [&](index_t row) {
      column = append(rows.columns(row), column);
      value = append(rows.values(row), value);
    });
    std::fill_n(column, kAhead, Index{0});
    if (!within(rows.cols())) rows.throw_damaged();
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
#pragma GCC unroll 4
    for (index_t k = start_[static_cast<std::size_t>(i)], end = start_[static_cast<std::size_t>(i) + 1]; k < end; ++k)
      f(static_cast<index_t>(column[k]), static_cast<double>(value[k]));
  }

 private:
  static constexpr index_t kAhead = 64;  // entries between asking for a coefficient and reading it

  // Whether all columns are from 0 to cols - 1: a sign bit tells of one that is not.
  bool within(index_t cols) const {
    using Bits = std::make_unsigned_t<Index>;
    const auto last = static_cast<Bits>(std::min<index_t>(cols - 1, std::numeric_limits<Index>::max()));
    Bits strange = 0;
    for (const Index column : std::span(columns_).first(static_cast<std::size_t>(start_.back())))
      strange |= static_cast<Bits>(column) | (last - static_cast<Bits>(column));
    return strange >> (8 * sizeof(Index) - 1) == 0;
  }

  template <int step>
  double strided_dot(index_t i, const double* w) const {
    const auto begin = start_[static_cast<std::size_t>(i)], size = start_[static_cast<std::size_t>(i) + 1] - begin;
    const Index* column = columns_.data() + begin;
    const T* value = values_.data() + begin;
    const auto term = [&](index_t k) { return static_cast<double>(value[k]) * w[step * static_cast<index_t>(column[k])]; };
    double sum[8] = {};
    index_t k = 0;
    for (; k + 8 <= size; k += 8)
      for (int q = 0; q < 8; ++q) {
        __builtin_prefetch(w + step * static_cast<index_t>(column[k + q + kAhead]));
        sum[q] += term(k + q);
      }
    for (; k < size; ++k) sum[k & 7] += term(k);
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
  }

  std::vector<index_t> start_;
  std::vector<Index> columns_;
  std::vector<T> values_;
};

}  // namespace mlwright::solver
