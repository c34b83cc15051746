#include "mlwright/linalg/row_triangle.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "mlwright/linalg/blas.hpp"
#include "simd/vector.hpp"

namespace mlwright::linalg {
namespace {

using Vec = std::vector<double>;

struct Chosen {  // rows of a symmetric matrix
  const double* all;
  index_t n;
  std::span<const std::int64_t> numbers;
  const double* row(index_t i) const { return all + numbers[static_cast<std::size_t>(i)] * n; }
};

double dot(const double* a, const Vec& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < b.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// v of H K H = K - 2 (u v' + v u'): K u less its part along u.
Vec reflection(const Chosen& chosen, const double* u) {
  const auto axpy = simd::vector().axpy;
  const auto m = static_cast<index_t>(chosen.numbers.size());
  Vec of_all(static_cast<std::size_t>(chosen.n)), v;
  for (index_t i = 0; i < m; ++i) axpy(u[i], chosen.row(i), chosen.n, of_all.data());
  for (const std::int64_t number : chosen.numbers) v.push_back(of_all[static_cast<std::size_t>(number)]);
  axpy(-dot(u, v), u, m, v.data());
  return v;
}

// The first r rows and columns, reflected where there is a u.
void take(const Chosen& chosen, index_t r, const double* u, double* out) {
  const auto axpy = simd::vector().axpy;
  const Vec v = u == nullptr ? Vec() : reflection(chosen, u);
  for (index_t i = 0; i < r; ++i) {
    const double* from = chosen.row(i);
    double* row = out + i * r;
    for (index_t j = 0; j < r; ++j) row[j] = from[chosen.numbers[static_cast<std::size_t>(j)]];
    if (u == nullptr) continue;
    axpy(-2.0 * u[i], v.data(), r, row);
    axpy(-2.0 * v[static_cast<std::size_t>(i)], u, r, row);
  }
}

double largest_sum(const double* a, index_t r) {
  double most = 0.0;
  for (index_t i = 0; i < r; ++i) {
    double sum = 0.0;
    for (index_t j = 0; j < r; ++j) sum += std::fabs(a[i * r + j]);
    most = std::max(most, sum);
  }
  return most;
}

// H (L; 0).
void reflect_rows(const double* factor, index_t r, const double* u, double* rows) {
  const auto axpy = simd::vector().axpy;
  Vec along(static_cast<std::size_t>(r));
  for (index_t i = 0; i < r; ++i) axpy(u[i], factor + i * r, i + 1, along.data());
  std::copy_n(factor, r * r, rows);
  std::fill_n(rows + r * r, r, 0.0);
  for (index_t i = 0; i <= r; ++i) axpy(-2.0 * u[i], along.data(), r, rows + i * r);
}

}  // namespace

double row_triangle(const double* products, index_t n, std::span<const std::int64_t> chosen, const double* u, double* factor,
                    double* rows) {
  const index_t r = static_cast<index_t>(chosen.size()) - (u == nullptr ? 0 : 1);
  take({products, n, chosen}, r, u, factor);
  const double norm = largest_sum(factor, r);
  if (potrf('U', r, factor, r) != 0) return 0.0;  // LAPACK's columns are our rows
  for (index_t i = 0; i < r; ++i) std::fill_n(factor + i * r + i + 1, r - i - 1, 0.0);
  if (u != nullptr) reflect_rows(factor, r, u, rows);
  return pocon('U', r, factor, r, norm);
}

}  // namespace mlwright::linalg
