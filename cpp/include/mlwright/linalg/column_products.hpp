// Products of all columns of a dense matrix with a few vectors, X' R, in one pass over X whatever its layout; and the quadratic
// forms of many sparse vectors. Threads take columns (vectors). Deterministic: sums along rows, in an order fixed by their number.
#pragma once

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::linalg {

// out (x.cols x vectors, row-major) = X' R; R has one vector a row, x.rows numbers each.
template <class T>
void column_products(MatrixView<const T> x, const double* r, index_t vectors, double* out, runtime::CancelToken& token);

// out[i] = b_i' G b_i for n vectors of p numbers, many of which are zero.
void quadratic_forms(const double* gram, index_t p, const double* b, index_t n, double* out, runtime::CancelToken& token);

}  // namespace mlwright::linalg
