#include "mlwright/linalg/cholesky.hpp"

#include <algorithm>
#include <cmath>

#include "mlwright/runtime/parallel.hpp"
#include "simd/gram.hpp"

namespace mlwright::linalg {
namespace {

using simd::kBlockRows;
using simd::kGroup;
constexpr index_t kPanel = 64;
constexpr index_t kGroupsAChunk = 4;

}  // namespace

Cholesky::Cholesky(const double* a, index_t n, index_t ld, double tolerance, runtime::CancelToken& token)
    : n_(n), ld_((n + kGroup - 1) / kGroup * kGroup) {
  u_.assign(static_cast<std::size_t>(ld_ * ld_), 0.0);
  inverse_diagonal_.assign(static_cast<std::size_t>(n), 0.0);
  std::vector<double> limit(static_cast<std::size_t>(n));
  for (index_t i = 0; i < n; ++i) {
    std::copy(a + i * ld + i, a + i * ld + n, row(i) + i);
    limit[static_cast<std::size_t>(i)] = tolerance * a[i * ld + i];
  }
  for (index_t begin = 0; begin < n; begin += kPanel) {
    const index_t end = std::min(n, begin + kPanel);
    factor_panel(begin, end, limit);
    if (end < n) update_rest(begin, end, token);
  }
}

void Cholesky::factor_panel(index_t begin, index_t end, const std::vector<double>& limit) {
  for (index_t j = begin; j < end; ++j) {
    double* u = row(j);
    const auto at = static_cast<std::size_t>(j);
    if (!(u[j] > limit[at]) || !(u[j] > 0.0)) {  // a NaN fails too
      std::fill(u + j, u + ld_, 0.0);
      continue;
    }
    ++rank_;
    inverse_diagonal_[at] = 1.0 / std::sqrt(u[j]);
    for (index_t i = j; i < n_; ++i) u[i] *= inverse_diagonal_[at];
    for (index_t i = j + 1; i < end; ++i) {
      double* below = row(i);
      const double factor = u[i];
      if (factor == 0.0) continue;
      for (index_t k = i; k < n_; ++k) below[k] -= factor * u[k];
    }
  }
}

// The rows after a panel less its share, U_panel' U_panel, through the Gram kernel.
void Cholesky::update_rest(index_t begin, index_t end, runtime::CancelToken& token) {
  const index_t groups = (ld_ - end) / kGroup, rows = end - begin, stream = kBlockRows * kGroup;
  std::vector<double> block(static_cast<std::size_t>(groups * stream)), negative(block.size());
  for (index_t g = 0; g < groups; ++g)
    for (index_t r = 0; r < rows; ++r)
      for (index_t k = 0; k < kGroup; ++k) {
        const auto at = static_cast<std::size_t>(g * stream + r * kGroup + k);
        block[at] = row(begin + r)[end + g * kGroup + k];
        negative[at] = -block[at];
      }
  double* rest = row(end) + end;
  runtime::parallel_for(groups, kGroupsAChunk, token, [&](index_t, index_t first, index_t last) {
    simd::gram().rank_update(block.data(), negative.data(), rows, first, groups, first, last, rest, ld_, {});
  });
}

void Cholesky::solve(double* b) const {
  for (index_t j = 0; j < n_; ++j) {
    const double* u = row(j);
    const double z = b[j] * inverse_diagonal_[static_cast<std::size_t>(j)];
    b[j] = z;
    if (z == 0.0) continue;
    for (index_t i = j + 1; i < n_; ++i) b[i] -= u[i] * z;
  }
  for (index_t j = n_ - 1; j >= 0; --j) {
    const double* u = row(j);
    double sum = b[j];
    for (index_t i = j + 1; i < n_; ++i) sum -= u[i] * b[i];
    b[j] = sum * inverse_diagonal_[static_cast<std::size_t>(j)];
  }
}

}  // namespace mlwright::linalg
