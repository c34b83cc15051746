// Some rows as rows of a triangle, from the inner products of all: coordinates in an orthonormal basis of what they span.
//
// Rows of inner products K = L L' have the rows of L for such coordinates. Centred among themselves they are dependent: with
// the reflection H = I - 2 u u' that takes ones to the last axis, the last row and column of H K H are what centring takes
// away, L is the factor of the others, and the coordinates are H (L; 0).
//
// Cost: m^3 / 6 multiply-adds for m rows. Thread-safe; BLAS has threads of its own, see blas.hpp.
// Reference: Golub and Van Loan, Matrix Computations, 2013, section 5.1.
#pragma once

#include <cstdint>
#include <span>

#include "mlwright/base/view.hpp"

namespace mlwright::linalg {

// products: n x n, row-major, of all rows; chosen: m row numbers below n, repeated or not. u: one number a chosen row, or
// null for rows that are not centred. To factor: L, r x r, row-major, zero above the diagonal, r = m or, centred, m - 1. To
// rows: the coordinates, m x r, row-major; null where u is, for then they are L. Returns the reciprocal condition number of
// L L', about; 0 where there is no factor.
double row_triangle(const double* products, index_t n, std::span<const std::int64_t> chosen, const double* u, double* factor,
                    double* rows);

}  // namespace mlwright::linalg
