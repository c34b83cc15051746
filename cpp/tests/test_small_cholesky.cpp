#include "mlwright/linalg/small_cholesky.hpp"

#include <cmath>
#include <vector>

#include "check.hpp"

using namespace mlwright;

TEST(small_cholesky_solves) {
  const index_t n = 19;
  const auto entry = [](index_t i, index_t j) { return 1.0 / static_cast<double>(1 + i + j) + (i == j ? 1.0 : 0.0); };
  std::vector<double> a(static_cast<std::size_t>(n * n)), x(static_cast<std::size_t>(n), 0.0);
  for (index_t i = 0; i < n; ++i)
    for (index_t j = 0; j < n; ++j) {
      a[static_cast<std::size_t>(i * n + j)] = entry(i, j);
      x[static_cast<std::size_t>(i)] += entry(i, j) * static_cast<double>(j - 3);
    }
  CHECK(linalg::small_cholesky(a.data(), n));
  linalg::small_cholesky_solve(a.data(), n, x.data());
  for (index_t i = 0; i < n; ++i) CHECK(std::fabs(x[static_cast<std::size_t>(i)] - static_cast<double>(i - 3)) < 1e-11);
}

TEST(small_cholesky_refuses_singular_matrices) {
  std::vector<double> a{1.0, 1.0, 1.0, 1.0}, empty;
  CHECK(!linalg::small_cholesky(a.data(), 2));
  CHECK(linalg::small_cholesky(empty.data(), 0));
}
