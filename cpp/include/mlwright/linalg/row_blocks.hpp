// A design read in blocks of at most 128 rows that stay in cache while several products with them are formed: what a fused
// pass is made of. Columns are seen centred and scaled, z_j = (x_j - shift_j) scale_j, and padded to whole groups of eight.
//
// A pass calls prepare() once for its coefficients, then for every block load() and any of the products, and settle() once
// for its sums. PackedRows centres entries while packing; CsrRows touches stored entries only and centres by algebra, so that
// a wide sparse matrix costs what its entries cost; CodedRows looks levels of categories up, so that a one-hot column costs
// nothing but its place in the sums. Thread-safe: const, scratch memory is the caller's.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "mlwright/linalg/design.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::linalg {

class RowBlocks {
 public:
  virtual ~RowBlocks() = default;
  virtual index_t rows() const noexcept = 0;
  virtual index_t cols() const noexcept = 0;
  virtual index_t padded() const noexcept { return (cols() + 7) / 8 * 8; }  // what vectors of columns have, zero beyond
  // Doubles that load() and the products need, for `width` columns at once (a multiple of 8; 0 for one); gram: and add_gram().
  virtual index_t scratch_size(index_t width, bool gram) const noexcept = 0;
  virtual index_t work_per_row() const noexcept = 0;  // multiply-adds of one product

  // raw (padded x width) from coefficients of z, and what has to be added to each column's intercept.
  virtual void prepare(std::span<const double> coef, index_t width, double* raw, double* start) const = 0;
  virtual void load(index_t begin, index_t rows, double* scratch) const = 0;
  // out[r] = start + z_r . coef
  virtual void project(index_t begin, index_t rows, const double* scratch, const double* raw, double start, double* out) const = 0;
  // sum += sum_r z_r factor_r
  virtual void accumulate(index_t begin, index_t rows, const double* scratch, const double* factor, double* sum) const = 0;
  // The same for `width` columns: out and factor are rows x width, raw and sum padded x width.
  virtual void project_many(index_t begin, index_t rows, const double* scratch, const double* raw, index_t width, double* out) const = 0;
  virtual void accumulate_many(index_t begin, index_t rows, double* scratch, const double* factor, index_t width, double* sum) const = 0;
  // sum += sum_r x_r^2 factor_r, squares of entries as they are, neither centred nor scaled.
  virtual void add_squares(index_t begin, index_t rows, const double* scratch, const double* factor, double* sum) const = 0;
  // Sums of raw columns to sums of z; totals[k] = sum of factor k.
  virtual void settle(double* sum, index_t width, const double* totals) const = 0;

  // gram += sum_r h_r z_r z_r', upper half of padded x padded, where few columns let it stay in cache.
  virtual bool gram_in_cache() const noexcept = 0;
  virtual void add_gram(index_t begin, index_t rows, double* scratch, const double* h, double* gram) const = 0;
  // The whole of it in a pass of its own, both halves; h has one number a row.
  virtual std::vector<double> gram(const double* h, runtime::CancelToken& token) const = 0;
};

// shift and scale: one a column. The design and both arrays must outlive the result. keeps: for many passes; a small table is
// packed once, here, and not again by each of them.
std::unique_ptr<RowBlocks> packed_rows(const Design& x, std::span<const double> shift, std::span<const double> scale,
                                       bool keeps = false);

template <class T, class Index>
std::unique_ptr<RowBlocks> csr_rows(std::span<const Index> indptr, std::span<const Index> indices, std::span<const T> data,
                                    index_t cols, std::span<const double> shift, std::span<const double> scale);

// Columns of levels, then of numbers (null: none). codes: a row's levels as columns, one a categorical feature, feature k in
// [ends[k - 1], ends[k]), which is checked in one read; row-major. Columns of levels are neither shifted nor scaled. What is
// passed must outlive the result.
std::unique_ptr<RowBlocks> coded_rows(const Design* numbers, MatrixView<const std::int32_t> codes, std::span<const std::int64_t> ends,
                                      std::span<const double> shift, std::span<const double> scale);

}  // namespace mlwright::linalg
