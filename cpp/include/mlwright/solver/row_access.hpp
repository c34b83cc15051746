// Rows one at a time, for solvers that visit them in random order: dense, or CSR with 32- or 64-bit indices.
//
//   dot(row, w)         x . w, in eight sums of every eighth column: zeros change nothing, so dense and sparse rows agree
//   add(row, c, w)      w += c x
//   each(row, f)        f(column, value) for the stored entries
//   prefetch(row)       asks for a row that will be needed soon
// Everything is widened to double. CsrRows checks its indices when it is made: one pass over them.
#pragma once

#include <algorithm>
#include <span>
#include <string>

#include "mlwright/base/error.hpp"
#include "mlwright/base/view.hpp"

namespace mlwright::solver {

inline constexpr index_t kCacheLine = 64;
inline constexpr index_t kMostPrefetched = 16;  // lines of a row; the processor sees the pattern of longer ones itself

inline void prefetch_lines(const void* begin, index_t bytes) {
  const char* p = static_cast<const char*>(begin);
  const index_t lines = std::min(kMostPrefetched, (bytes + kCacheLine - 1) / kCacheLine);
  for (index_t i = 0; i < lines; ++i) __builtin_prefetch(p + i * kCacheLine);
}

template <class T>
class DenseRows {
 public:
  DenseRows(const T* data, index_t rows, index_t cols) : data_(data), rows_(rows), cols_(cols) {}
  index_t rows() const { return rows_; }
  index_t cols() const { return cols_; }

  double dot(index_t row, const double* w) const {
    const T* x = data_ + row * cols_;
    double sum[8] = {};
    index_t j = 0;
    for (; j + 8 <= cols_; j += 8)
      for (int k = 0; k < 8; ++k) sum[k] += static_cast<double>(x[j + k]) * w[j + k];
    for (; j < cols_; ++j) sum[j & 7] += static_cast<double>(x[j]) * w[j];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
  }
  void add(index_t row, double c, double* w) const {
    const T* x = data_ + row * cols_;
    for (index_t j = 0; j < cols_; ++j) w[j] += c * static_cast<double>(x[j]);
  }
  template <class F>
  void each(index_t row, F&& f) const {
    const T* x = data_ + row * cols_;
    for (index_t j = 0; j < cols_; ++j) f(j, static_cast<double>(x[j]));
  }
  void prefetch(index_t row) const { prefetch_lines(data_ + row * cols_, cols_ * static_cast<index_t>(sizeof(T))); }

 private:
  const T* data_;
  index_t rows_, cols_;
};

template <class T, class Index>
class CsrRows {
 public:
  CsrRows(std::span<const Index> indptr, std::span<const Index> indices, std::span<const T> data, index_t cols)
      : indptr_(indptr.data()), indices_(indices.data()), data_(data.data()),
        rows_(static_cast<index_t>(indptr.size()) - 1), cols_(cols) {
    bool sound = !indptr.empty() && indptr.front() == 0 && indices.size() == data.size() &&
                 static_cast<index_t>(indptr.back()) <= static_cast<index_t>(data.size());
    for (std::size_t i = 1; sound && i < indptr.size(); ++i) sound = indptr[i - 1] <= indptr[i];
    Index least = 0, most = -1;
    for (const Index j : indices) {
      least = std::min(least, j);
      most = std::max(most, j);
    }
    if (!sound || least < 0 || static_cast<index_t>(most) >= cols)
      throw InvalidArgument("CSR matrix: row pointers or column indices are out of range; expected a valid scipy.sparse "
                            "matrix; see its check_format()");
  }
  index_t rows() const { return rows_; }
  index_t cols() const { return cols_; }

  double dot(index_t row, const double* w) const {
    double sum[8] = {};
    for (Index k = indptr_[row]; k < indptr_[row + 1]; ++k) {
      const Index j = indices_[k];
      sum[j & 7] += static_cast<double>(data_[k]) * w[j];
    }
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
  }
  void add(index_t row, double c, double* w) const {
    for (Index k = indptr_[row]; k < indptr_[row + 1]; ++k) w[indices_[k]] += c * static_cast<double>(data_[k]);
  }
  template <class F>
  void each(index_t row, F&& f) const {
    for (Index k = indptr_[row]; k < indptr_[row + 1]; ++k)
      f(static_cast<index_t>(indices_[k]), static_cast<double>(data_[k]));
  }
  void prefetch(index_t row) const {
    const Index begin = indptr_[row], count = indptr_[row + 1] - begin;
    prefetch_lines(data_ + begin, static_cast<index_t>(count) * static_cast<index_t>(sizeof(T)));
    prefetch_lines(indices_ + begin, static_cast<index_t>(count) * static_cast<index_t>(sizeof(Index)));
  }

 private:
  const Index *indptr_, *indices_;
  const T* data_;
  index_t rows_, cols_;
};

}  // namespace mlwright::solver
