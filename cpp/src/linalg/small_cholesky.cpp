#include "mlwright/linalg/small_cholesky.hpp"

#include <cmath>

#include "simd/reduce.hpp"
#include "simd/vector.hpp"

namespace mlwright::linalg {

bool small_cholesky(double* a, index_t n, double least) {
  const auto dot = simd::reduce().dot;
  for (index_t i = 0; i < n; ++i) {
    double* row = a + i * n;
    for (index_t j = 0; j < i; ++j) row[j] = (row[j] - dot(row, a + j * n, j)) / a[j * n + j];
    const double pivot = row[i] - dot(row, row, i);
    if (!(pivot > least * row[i])) return false;
    row[i] = std::sqrt(pivot);
  }
  return true;
}

void small_cholesky_solve(const double* factor, index_t n, double* x) {
  small_cholesky_forward(factor, n, x);
  small_cholesky_back(factor, n, x);
}

void small_cholesky_forward(const double* factor, index_t n, double* x) {
  const auto dot = simd::reduce().dot;
  for (index_t i = 0; i < n; ++i) x[i] = (x[i] - dot(factor + i * n, x, i)) / factor[i * n + i];
}

void small_cholesky_back(const double* factor, index_t n, double* x) {
  const auto axpy = simd::vector().axpy;
  for (index_t i = n - 1; i >= 0; --i) {
    x[i] /= factor[i * n + i];
    axpy(-x[i], factor + i * n, i, x);
  }
}

}  // namespace mlwright::linalg
