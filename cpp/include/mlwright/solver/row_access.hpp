// Rows one at a time: dense, or CSR with 32- or 64-bit indices.
//
//   each_while(row, f)       f(column, value) for the stored entries, widened to double, while it returns true
//   prefetch_start(row)      asks for where a row starts, prefetch(row) for the row, prefetch_front(row) for its first entries:
//                            well before they are read
// CsrRows checks its row pointers when it is made. Its column indices are checked where something is looked up by them: in the
// blocks that solvers copy rows into, see row_block.hpp.
#pragma once

#include <algorithm>
#include <span>

#include "mlwright/base/error.hpp"
#include "mlwright/base/view.hpp"

namespace mlwright::solver {

inline constexpr index_t kCacheLine = 64;
inline constexpr index_t kMostPrefetched = 16;  // lines of a row; the processor sees the pattern of longer ones itself

inline index_t lines_of(index_t bytes) { return std::min(kMostPrefetched, bytes / kCacheLine + 1); }
inline void prefetch_lines(const void* begin, index_t lines) {
  const char* p = static_cast<const char*>(begin);
  for (index_t i = 0; i < lines; ++i) __builtin_prefetch(p + i * kCacheLine);
}

template <class T>
class DenseRows {
 public:
  using Value = T;

  DenseRows(const T* data, index_t rows, index_t cols) : data_(data), rows_(rows), cols_(cols) {}
  index_t rows() const { return rows_; }
  index_t cols() const { return cols_; }

  std::span<const T> values(index_t row) const { return {data_ + row * cols_, static_cast<std::size_t>(cols_)}; }
  template <class F>
  void each_while(index_t row, F&& f) const {
    const T* x = data_ + row * cols_;
    for (index_t j = 0; j < cols_ && f(j, static_cast<double>(x[j])); ++j) continue;
  }
  void prefetch(index_t row) const {
    prefetch_lines(data_ + row * cols_, lines_of(cols_ * static_cast<index_t>(sizeof(T))));
  }
  void prefetch_start(index_t) const {}
  void prefetch_front(index_t row) const { __builtin_prefetch(data_ + row * cols_); }

 private:
  const T* data_;
  index_t rows_, cols_;
};

template <class T, class Index>
class CsrRows {
 public:
  using Value = T;
  using Column = Index;

  CsrRows(std::span<const Index> indptr, std::span<const Index> indices, std::span<const T> data, index_t cols)
      : indptr_(indptr.data()), indices_(indices.data()), data_(data.data()),
        rows_(static_cast<index_t>(indptr.size()) - 1), cols_(cols) {
    bool sound = !indptr.empty() && indptr.front() == 0 && indices.size() == data.size() &&
                 static_cast<index_t>(indptr.back()) <= static_cast<index_t>(data.size());
    for (std::size_t i = 1; sound && i < indptr.size(); ++i) sound = indptr[i - 1] <= indptr[i];
    if (!sound) throw_damaged();
    // As many lines for every row, those of a row somewhat longer than most: a count that varies costs a mispredicted branch.
    const index_t count = rows_ > 0 ? static_cast<index_t>(data.size()) * 5 / (rows_ * 4) : 0;
    value_lines_ = lines_of(count * static_cast<index_t>(sizeof(T)));
    index_lines_ = lines_of(count * static_cast<index_t>(sizeof(Index)));
  }
  index_t rows() const { return rows_; }
  index_t cols() const { return cols_; }
  index_t entries() const { return rows_ > 0 ? static_cast<index_t>(indptr_[rows_]) : 0; }

  const Index* starts() const { return indptr_; }
  const Index* indices() const { return indices_; }
  const T* data() const { return data_; }
  [[noreturn]] static void throw_damaged() {
    throw InvalidArgument("CSR matrix: row pointers or column indices are out of range; expected a valid scipy.sparse "
                          "matrix; see its check_format()");
  }

  std::span<const Index> columns(index_t row) const { return {indices_ + indptr_[row], size(row)}; }
  std::span<const T> values(index_t row) const { return {data_ + indptr_[row], size(row)}; }
  template <class F>
  void each_while(index_t row, F&& f) const {
    const Index end = indptr_[row + 1];
    for (Index k = indptr_[row]; k < end && f(static_cast<index_t>(indices_[k]), static_cast<double>(data_[k])); ++k) continue;
  }
  void prefetch(index_t row) const {
    prefetch_lines(data_ + indptr_[row], value_lines_);
    prefetch_lines(indices_ + indptr_[row], index_lines_);
  }
  void prefetch_start(index_t row) const { __builtin_prefetch(indptr_ + row); }
  void prefetch_front(index_t row) const {
    prefetch_lines(data_ + indptr_[row], 2);
    __builtin_prefetch(indices_ + indptr_[row]);
  }

 private:
  std::size_t size(index_t row) const { return static_cast<std::size_t>(indptr_[row + 1] - indptr_[row]); }

  const Index *indptr_, *indices_;
  const T* data_;
  index_t rows_, cols_, value_lines_, index_lines_;
};

}  // namespace mlwright::solver
