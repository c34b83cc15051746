#include "sampler/horseshoe/block.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mlwright/linalg/small_cholesky.hpp"
#include "simd/gram.hpp"
#include "simd/reduce.hpp"
#include "simd/vector.hpp"

namespace mlwright::sampler::horseshoe {
namespace {

using simd::kBlockRows;
using simd::kGroup;

constexpr double kLeast = 1e-300;
std::size_t at(index_t i) { return static_cast<std::size_t>(i); }

}  // namespace

PackedColumns::PackedColumns(const Horseshoe& problem)
    : p_(problem.p),
      groups_((problem.n + kGroup - 1) / kGroup),
      count_(problem.gram == nullptr ? (p_ + kBlockRows - 1) / kBlockRows : 0),
      blocks_(at(count_ * stride())) {
  for (index_t k = 0; k < count_; ++k)
    for (index_t g = 0; g < groups_; ++g)
      for (index_t r = 0; r < kBlockRows; ++r) {
        double* const to = blocks_.data() + k * stride() + (g * kBlockRows + r) * kGroup;
        const index_t n = r < size(k) ? std::min(kGroup, problem.n - g * kGroup) : 0;
        std::copy_n(problem.columns + (n > 0 ? (k * kBlockRows + r) * problem.n + g * kGroup : 0), n, to);
        std::fill(to + n, to + kGroup, 0.0);
      }
}

index_t PackedColumns::size(index_t block) const noexcept { return std::min(kBlockRows, p_ - block * kBlockRows); }
index_t PackedColumns::stride() const noexcept { return groups_ * kBlockRows * kGroup; }

Block::Block(const Horseshoe& problem, const PackedColumns& packed, std::function<void()> check)
    : problem_(problem), packed_(packed), check_(std::move(check)), prior_(at(problem.p)) {}

double Block::cost() const noexcept {
  const auto n = static_cast<double>(problem_.n), p = static_cast<double>(problem_.p);
  return problem_.gram != nullptr ? p * p * p / 6 : n * n * p / 2 + n * n * n / 6;
}

bool Block::draw(runtime::Rng& rng, const std::vector<double>& prior, std::vector<double>& coef, double& variance) {
  for (std::size_t j = 0; j < prior.size(); ++j) prior_[j] = 1 / (1 / prior[j] + problem_.slab_precision);
  return problem_.gram != nullptr ? from_gram(rng, coef, variance) : from_rows(rng, coef, variance);
}

double Block::drawn_variance(runtime::Rng& rng, double rest) const {
  return (problem_.rate + 0.5 * std::fmax(rest, 0)) / std::fmax(rng.gamma(problem_.shape), kLeast);
}

// From the p by p precision, scaled to a unit diagonal: prior precisions differ by many powers of ten.
bool Block::from_gram(runtime::Rng& rng, std::vector<double>& coef, double& variance) {
  const index_t p = problem_.p;
  factor_.resize(at(p * p)), unit_.resize(at(p)), right_.resize(at(p));
  for (index_t j = 0; j < p; ++j) unit_[at(j)] = 1 / std::sqrt(problem_.gram[j * (p + 1)] + 1 / prior_[at(j)]);
  for (index_t i = 0; i < p; ++i) {
    for (index_t j = 0; j < i; ++j) factor_[at(i * p + j)] = problem_.gram[i * p + j] * unit_[at(i)] * unit_[at(j)];
    factor_[at(i * (p + 1))] = 1;
  }
  if (!linalg::small_cholesky(factor_.data(), p)) return false;
  for (std::size_t j = 0; j < at(p); ++j) right_[j] = unit_[j] * problem_.cross[j];
  linalg::small_cholesky_forward(factor_.data(), p, right_.data());
  variance = drawn_variance(rng, problem_.square - simd::reduce().dot(right_.data(), right_.data(), p));
  const double deviation = std::sqrt(variance);
  for (double& one : right_) one += deviation * rng.normal();
  linalg::small_cholesky_back(factor_.data(), p, right_.data());
  for (std::size_t j = 0; j < at(p); ++j) coef[j] = unit_[j] * right_[j];
  return true;
}

// I + X diag(prior) X'.
bool Block::factor_of_rows() {
  const index_t n = problem_.n, groups = packed_.groups(), padded = groups * kGroup;
  matrix_.assign(at(padded * padded), 0), factor_.resize(at(n * n)), weighted_.resize(at(packed_.stride()));
  const auto& kernels = simd::gram();
  for (index_t k = 0; k < packed_.count(); ++k) {
    check_();
    kernels.weigh(packed_.block(k), prior_.data() + k * kBlockRows, packed_.size(k), groups, weighted_.data());
    kernels.rank_update(packed_.block(k), weighted_.data(), packed_.size(k), 0, groups, 0, groups, matrix_.data(), padded, {});
  }
  for (index_t i = 0; i < n; ++i) {
    for (index_t j = 0; j <= i; ++j) factor_[at(i * n + j)] = matrix_[at(j * padded + i)];
    factor_[at(i * (n + 1))] += 1;
  }
  check_();
  return linalg::small_cholesky(factor_.data(), n);
}

// From an n by n system: a draw from the prior, moved by what it misses of y.
bool Block::from_rows(runtime::Rng& rng, std::vector<double>& coef, double& variance) {
  if (!factor_of_rows()) return false;
  const index_t n = problem_.n;
  const auto dot = simd::reduce().dot;
  const auto axpy = simd::vector().axpy;
  seen_.assign(problem_.y.begin(), problem_.y.end());
  linalg::small_cholesky_forward(factor_.data(), n, seen_.data());
  variance = drawn_variance(rng, dot(seen_.data(), seen_.data(), n));
  const double deviation = std::sqrt(variance);
  for (std::size_t i = 0; i < at(n); ++i) seen_[i] = problem_.y[i] - deviation * rng.normal();
  for (std::size_t j = 0; j < prior_.size(); ++j) {
    coef[j] = deviation * std::sqrt(prior_[j]) * rng.normal();
    axpy(-coef[j], problem_.columns + static_cast<index_t>(j) * n, n, seen_.data());
  }
  linalg::small_cholesky_solve(factor_.data(), n, seen_.data());
  for (std::size_t j = 0; j < prior_.size(); ++j)
    coef[j] += prior_[j] * dot(problem_.columns + static_cast<index_t>(j) * n, seen_.data(), n);
  return true;
}

}  // namespace mlwright::sampler::horseshoe
