#include "mlwright/linalg/symmetric_eigen.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "check.hpp"
#include "mlwright/base/error.hpp"

using namespace mlwright;

namespace {

std::vector<double> hilbert(index_t n) {
  std::vector<double> a;
  for (index_t i = 0; i < n; ++i)
    for (index_t j = 0; j < n; ++j) a.push_back(1.0 / static_cast<double>(1 + i + j) + (i == j ? static_cast<double>(i % 3) : 0.0));
  return a;
}

}  // namespace

TEST(symmetric_eigen_gives_orthonormal_rows_that_a_matrix_stretches) {
  for (const index_t n : {1, 2, 3, 8, 37}) {
    const auto a = hilbert(n);
    const auto found = linalg::symmetric_eigen(a, n);
    for (index_t k = 0; k < n; ++k) {
      const double* const v = found.vectors.data() + k * n;
      for (index_t i = 0; i < n; ++i) {
        double image = 0, product = 0;
        for (index_t j = 0; j < n; ++j) image += a[static_cast<std::size_t>(i * n + j)] * v[j], product += v[j] * found.vectors[static_cast<std::size_t>(i * n + j)];
        CHECK(std::fabs(image - found.values[static_cast<std::size_t>(k)] * v[i]) < 1e-13);
        CHECK(std::fabs(product - (i == k ? 1 : 0)) < 1e-13);
      }
    }
  }
}

TEST(symmetric_eigen_knows_diagonal_and_empty_matrices) {
  auto found = linalg::symmetric_eigen({3, 0, 0, 0, -1, 0, 0, 0, 2}, 3);
  std::ranges::sort(found.values);
  CHECK(found.values == (std::vector<double>{-1, 2, 3}));
  CHECK(linalg::symmetric_eigen({}, 0).values.empty());
}

TEST(symmetric_eigen_refuses_what_is_not_finite) {
  const double nan = std::nan("");
  CHECK(!CHECK_THROWS(NumericalError, linalg::symmetric_eigen({1, nan, nan, 2}, 2)).empty());
}
