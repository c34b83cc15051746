// Eigenvalues and eigenvectors of small symmetric matrices inside parallel regions, where LAPACK must not be called.
//
// Householder's reflections to a tridiagonal matrix, then implicit QL steps. Cost: about 6 n^3 multiply-adds. Errors are of the
// size of the largest eigenvalue's rounding. Deterministic: the same bits at every SIMD level. Thread-safe.
// Reference: Golub and Van Loan, Matrix Computations, 2013, sections 8.3.1 and 8.3.5.
#pragma once

#include <span>
#include <vector>

#include "mlwright/base/view.hpp"

namespace mlwright::linalg {

struct Eigen {
  std::vector<double> values, vectors;  // vectors: n x n, a row each; in no order
};

// a: n x n, row-major, symmetric and finite. Throws NumericalError where the steps do not end.
Eigen symmetric_eigen(std::vector<double> a, index_t n);

}  // namespace mlwright::linalg
