// Cholesky factors of small matrices inside parallel regions, where LAPACK must not be called: rows of dot products.
//
// Cost: n^3 / 6 multiply-adds. Deterministic: the same bits at every SIMD level. Thread-safe.
// Reference: Higham (2002), Accuracy and Stability of Numerical Algorithms, section 10.1.
#pragma once

#include "mlwright/base/view.hpp"

namespace mlwright::linalg {

// The lower triangle of a, row-major, n x n, becomes its factor. False where a pivot is not above `least` times the diagonal
// entry it came from: a matrix that is not positive definite, up to rounding.
bool small_cholesky(double* a, index_t n, double least = 1e-12);

// x = a^-1 x from the factor.
void small_cholesky_solve(const double* factor, index_t n, double* x);

// Its two halves, with the factor L: x = L^-1 x, and x = L'^-1 x.
void small_cholesky_forward(const double* factor, index_t n, double* x);
void small_cholesky_back(const double* factor, index_t n, double* x);

}  // namespace mlwright::linalg
