// A design matrix as the linear kernels read it: rows packed into blocks of eight-column groups, whatever holds them.
//
// pack() writes (x[r, j] - shift[j] - row_shift[r]) * scale[j] for rows [begin, begin + rows) into columns 0 .. cols-1 of a
// block laid out as in simd/gram.hpp, so a sparse matrix is centred without ever being stored densely as a whole.
// Dense: any strides, float32 or float64. Sparse: CSR with 32- or 64-bit indices; duplicate entries add up. Every number
// is widened to double before arithmetic. Cost: one read of the rows. Thread-safe: const, no state.
#pragma once

#include <cstdint>
#include <span>

#include "mlwright/base/ahead.hpp"
#include "mlwright/base/view.hpp"

namespace mlwright::linalg {

struct Affine {                       // what pack() does to every entry
  const double* shift = nullptr;      // one a column
  const double* scale = nullptr;      // one a column
  const double* row_shift = nullptr;  // one a row of the whole matrix, or null
  bool reads_ahead = true;            // whether memory is asked for the rows that follow; false: the caller does
};

class Design {
 public:
  virtual ~Design() = default;
  virtual index_t rows() const noexcept = 0;
  virtual index_t cols() const noexcept = 0;
  virtual void pack(index_t begin, index_t rows, const Affine& affine, double* block) const = 0;
  // Where pack() would read these rows; none where that is not known beforehand.
  virtual Ahead ahead(index_t, index_t) const noexcept { return {}; }
};

template <class T>
class DenseDesign final : public Design {
 public:
  explicit DenseDesign(MatrixView<const T> x) : x_(x) {}
  index_t rows() const noexcept override { return x_.rows; }
  index_t cols() const noexcept override { return x_.cols; }
  void pack(index_t begin, index_t rows, const Affine& affine, double* block) const override;
  Ahead ahead(index_t begin, index_t rows) const noexcept override { return ahead_of(x_.row_block(begin, begin + rows)); }

 private:
  MatrixView<const T> x_;
};

template <class T, class Index>
class CsrDesign final : public Design {
 public:
  // Throws InvalidArgument where indptr does not rise from 0 to the number of stored entries; column indices are checked
  // while packing.
  CsrDesign(std::span<const Index> indptr, std::span<const Index> indices, std::span<const T> data, index_t cols);
  index_t rows() const noexcept override { return static_cast<index_t>(indptr_.size()) - 1; }
  index_t cols() const noexcept override { return cols_; }
  void pack(index_t begin, index_t rows, const Affine& affine, double* block) const override;

 private:
  std::span<const Index> indptr_, indices_;
  std::span<const T> data_;
  index_t cols_;
};

// Some rows of a design, in any order, repeated or not: a fold or a training set without a copy of its rows.
class SelectedRows final : public Design {
 public:
  // Row numbers of `all`, which must outlive this. Throws InvalidArgument where one is out of range.
  SelectedRows(const Design& all, std::span<const std::int64_t> numbers);
  index_t rows() const noexcept override { return static_cast<index_t>(numbers_.size()); }
  index_t cols() const noexcept override { return all_.cols(); }
  void pack(index_t begin, index_t rows, const Affine& affine, double* block) const override;
  Ahead ahead(index_t begin, index_t rows) const noexcept override;  // of rows that follow each other in X too

 private:
  index_t run(index_t begin, index_t rows) const noexcept;  // how many of these rows follow each other in X
  const Design& all_;
  std::span<const std::int64_t> numbers_;
};

}  // namespace mlwright::linalg
