#include "mlwright/sampler/directions.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "mlwright/base/elementary.hpp"
#include "mlwright/linalg/small_cholesky.hpp"
#include "mlwright/linalg/symmetric_eigen.hpp"
#include "simd/reduce.hpp"
#include "simd/vector.hpp"

namespace mlwright::sampler {
namespace {

constexpr index_t kMostOfSpace = 64;  // dimensions in which covariances are compared
constexpr double kRidge = 1e-5;       // added to covariances, whose scale is 1
constexpr double kTold = 2;           // stretches within [1 / kTold, kTold] are left to the scales
constexpr double kWildest = 1e50;     // products of four numbers below it do not overflow
constexpr double kDependent = 1e-8;   // what is left of a unit vector, squared, that adds nothing to a basis

using Matrix = std::vector<double>;  // row-major

double* row(Matrix& m, index_t i, index_t width) { return m.data() + i * width; }
const double* row(const Matrix& m, index_t i, index_t width) { return m.data() + i * width; }

// The latest n rows of a memory, about their mean, each column multiplied by its scale.
Matrix centred(std::span<const double> memory, index_t count, index_t n, std::span<const double> scale) {
  const auto d = static_cast<index_t>(scale.size());
  Matrix x(static_cast<std::size_t>(n * d));
  std::vector<double> mean(scale.size());
  for (index_t i = 0; i < n; ++i) {
    const double* const from = memory.data() + (count - n + i) % kRemembered * d;
    std::copy_n(from, d, row(x, i, d));
    for (index_t j = 0; j < d; ++j) mean[static_cast<std::size_t>(j)] += from[j] / static_cast<double>(n);
  }
  for (index_t i = 0; i < n; ++i)
    for (index_t j = 0; j < d; ++j) {
      double& value = row(x, i, d)[j];
      value = (value - mean[static_cast<std::size_t>(j)]) * scale[static_cast<std::size_t>(j)];
    }
  return x;
}

bool tame(const Matrix& x) {
  return std::ranges::all_of(x, [](double value) { return std::fabs(value) <= kWildest; });
}

Matrix transposed(const Matrix& x, index_t n, index_t d) {
  Matrix t(x.size());
  for (index_t i = 0; i < n; ++i)
    for (index_t j = 0; j < d; ++j) row(t, j, n)[i] = row(x, i, d)[j];
  return t;
}

// All products of a row of x with a row of y, times `scale`: of shape (n, m).
Matrix products(const Matrix& x, index_t n, const Matrix& y, index_t m, index_t d, double scale = 1) {
  const auto dot = simd::reduce().dot;
  Matrix out(static_cast<std::size_t>(n * m));
  for (index_t i = 0; i < n; ++i)
    for (index_t j = 0; j < m; ++j) row(out, i, m)[j] = scale * dot(row(x, i, d), row(y, j, d), d);
  return out;
}

// Places of eigenvalues, largest first.
std::vector<index_t> by_size(const std::vector<double>& values) {
  std::vector<index_t> order(values.size());
  std::iota(order.begin(), order.end(), index_t{0});
  std::ranges::stable_sort(order, [&](index_t a, index_t b) { return values[static_cast<std::size_t>(a)] > values[static_cast<std::size_t>(b)]; });
  return order;
}

// Adds the directions in which the rows of x vary most to an orthonormal basis.
void widen(Matrix& basis, const Matrix& x, index_t n, index_t d, index_t most) {
  const auto dot = simd::reduce().dot;
  const auto axpy = simd::vector().axpy;
  const linalg::Eigen found = linalg::symmetric_eigen(products(x, n, x, n, d), n);
  for (const index_t k : by_size(found.values)) {
    if (most-- == 0) return;
    Matrix direction(static_cast<std::size_t>(d));
    for (index_t i = 0; i < n; ++i) axpy(row(found.vectors, k, n)[i], row(x, i, d), d, direction.data());
    const double whole = dot(direction.data(), direction.data(), d);
    for (int again = 0; again < 2; ++again)
      for (std::size_t b = 0; b < basis.size(); b += static_cast<std::size_t>(d))
        axpy(-dot(basis.data() + b, direction.data(), d), basis.data() + b, d, direction.data());
    const double left = dot(direction.data(), direction.data(), d);
    if (!(left > kDependent * whole)) continue;
    for (double& value : direction) value /= std::sqrt(left);
    basis.insert(basis.end(), direction.begin(), direction.end());
  }
}

Matrix covariance(const Matrix& x, index_t n, index_t s) {
  const Matrix t = transposed(x, n, s);
  Matrix c = products(t, s, t, s, n, 1 / static_cast<double>(n));
  for (index_t i = 0; i < s; ++i) row(c, i, s)[i] += kRidge;
  return c;
}

// a # b^-1 = L V diag(v)^(-1/2) V' L', where a = L L' and L' b L = V diag(v) V'. Empty where a has no factor.
Matrix geometric_mean(Matrix a, const Matrix& b, index_t s) {
  if (!linalg::small_cholesky(a.data(), s)) return {};
  for (index_t i = 0; i < s; ++i) std::fill(row(a, i, s) + i + 1, row(a, i, s) + s, 0.0);
  const Matrix right = transposed(a, s, s);  // L', so that rows are columns of L
  const linalg::Eigen inner = linalg::symmetric_eigen(products(products(right, s, b, s, s), s, right, s, s), s);
  Matrix root = products(a, s, inner.vectors, s, s);  // L V
  for (index_t k = 0; k < s; ++k) {
    const double scale = 1 / std::sqrt(std::sqrt(std::max(inner.values[static_cast<std::size_t>(k)], kRidge * kRidge)));
    for (index_t i = 0; i < s; ++i) row(root, i, s)[k] *= scale;
  }
  return products(root, s, root, s, s);
}

Matrix basis_of(const Matrix& x, const Matrix& g, index_t n, index_t d, index_t most) {
  Matrix basis;
  widen(basis, x, n, d, most);
  widen(basis, g, n, d, most);
  return basis;
}

Matrix identity(index_t d) {
  Matrix one(static_cast<std::size_t>(d * d));
  for (index_t i = 0; i < d; ++i) row(one, i, d)[i] = 1;
  return one;
}

// The eigenvectors whose eigenvalues tell most, in the units of the parameters; their number.
index_t take(const linalg::Eigen& found, const Matrix& basis, const std::vector<double>& scale, std::span<double> stretch,
             std::span<double> directions) {
  const auto axpy = simd::vector().axpy;
  const auto d = static_cast<index_t>(scale.size()), s = static_cast<index_t>(found.values.size());
  std::vector<double> stretches(found.values.size()), told(found.values.size());
  for (std::size_t k = 0; k < told.size(); ++k) {
    stretches[k] = std::max(found.values[k], kRidge * kRidge);
    told[k] = std::fabs(log(stretches[k]));
  }
  index_t kept = 0;
  for (const index_t k : by_size(told)) {
    const auto at = static_cast<std::size_t>(k);
    if (kept == static_cast<index_t>(stretch.size()) || !(told[at] > log(kTold))) break;
    stretch[static_cast<std::size_t>(kept)] = stretches[at];
    double* const w = directions.data() + kept++ * d;
    std::fill_n(w, d, 0.0);
    for (index_t j = 0; j < s; ++j) axpy(row(found.vectors, k, s)[j], row(basis, j, d), d, w);
    for (index_t i = 0; i < d; ++i) w[i] *= scale[static_cast<std::size_t>(i)];
  }
  return kept;
}

}  // namespace

void Memory::add(std::span<const double> u, std::span<const double> gradient) noexcept {
  const auto at = static_cast<std::size_t>(count() % kRemembered) * u.size();
  std::ranges::copy(u, u_.begin() + static_cast<std::ptrdiff_t>(at));
  std::ranges::copy(gradient, gradient_.begin() + static_cast<std::ptrdiff_t>(at));
  *count_ += 1;
}

index_t find_directions(const Memory& memory, index_t n, std::span<const double> inverse_mass, std::span<double> stretch,
                        std::span<double> directions) {
  const auto d = static_cast<index_t>(inverse_mass.size());
  n = std::min({n, memory.count(), kRemembered});
  const index_t space = std::min(kMostOfSpace, n / 2);
  if (space < 2) return 0;
  std::vector<double> scale(inverse_mass.size()), inverse(inverse_mass.size());
  for (std::size_t i = 0; i < scale.size(); ++i) scale[i] = std::sqrt(inverse_mass[i]), inverse[i] = 1 / scale[i];
  Matrix x = centred(memory.u(), memory.count(), n, inverse), g = centred(memory.gradient(), memory.count(), n, scale);
  if (!tame(x) || !tame(g)) return 0;  // draws of units that no scale bridges: their squares have no digits to tell directions by
  const Matrix basis = d > space ? basis_of(x, g, n, d, space / 2) : identity(d);
  const index_t s = static_cast<index_t>(basis.size()) / d;
  if (d > space) x = products(x, n, basis, s, d), g = products(g, n, basis, s, d);
  const Matrix mean = geometric_mean(covariance(x, n, s), covariance(g, n, s), s);
  return mean.empty() ? 0 : take(linalg::symmetric_eigen(mean, s), basis, scale, stretch, directions);
}

}  // namespace mlwright::sampler
