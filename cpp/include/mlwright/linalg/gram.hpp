// Weighted Gram matrices in one pass over the rows.
//
//   weighted_gram:      G = sum_r w_r z_r z_r',   z_r = (x_r, y_r, 1) shifted and scaled column by column
//   residual_gradient:  g = sum_r w_r z_r (y_r - x_r b)'  in the same columns
//   affine_map:         out = X coef + start
//
// Cost: n q^2 multiply-adds for the symmetric half, and one read of X. Few columns: threads take chunks of rows, each with
// a Gram of its own, added in chunk order. Many columns: blocks of rows are packed once, threads take tiles of G. Which of
// the two depends on the shape only. Deterministic: the same bits for any number of threads and any instruction set.
#pragma once

#include <vector>

#include "mlwright/linalg/design.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::linalg {

// The columns (x, y, 1) of an augmented design; y and the ones may be absent.
struct Augmented {
  const Design& x;
  MatrixView<const double> y;
  bool ones;
  Affine affine;  // one shift and scale a column, the last (0, 1) where there are ones

  index_t rows() const noexcept { return x.rows(); }
  index_t cols() const noexcept { return x.cols() + y.cols + (ones ? 1 : 0); }
  index_t groups() const noexcept;
  index_t padded() const noexcept;  // columns, rounded up to whole groups
  void pack(index_t begin, index_t rows, double* block) const;
};

// Square, row-major, padded() wide; both halves filled. w may be null (all ones).
std::vector<double> weighted_gram(const Augmented& z, const double* w, runtime::CancelToken& token);

// For every target k (columns of y): sum_r w_r z_r * residual_rk, residual = z_y - z_x b; b is x.cols() x y.cols,
// row-major, in scaled units. Result: y.cols rows of padded() columns.
std::vector<double> residual_gradient(const Augmented& z, const double* w, const double* b, runtime::CancelToken& token);

// max over rows of |z_j|; NaN where a column holds one.
std::vector<double> largest_magnitude(const Augmented& z, runtime::CancelToken& token);

// out[r, k] = start[k] + sum_j x[r, j] coef[k, j]
void affine_map(const Design& x, MatrixView<const double> coef, const double* start, MatrixView<double> out,
                runtime::CancelToken& token);

}  // namespace mlwright::linalg
