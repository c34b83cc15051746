#include "tree/shap_games.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace mlwright::tree {
namespace {

using simd::kShapRows;

constexpr std::uint32_t kRemembered = 10;  // literals: patterns of such leaves are computed once

// Newton's method on the Legendre polynomial of degree n, for the root nearest to `x`; its weight on [-1, 1].
double legendre_root(int n, double& x) {
  double derivative = 0;
  for (int step = 0; step < 100; ++step) {
    double before = 1, value = x;
    for (int k = 2; k <= n; ++k) {
      const double next = ((2 * k - 1) * x * value - (k - 1) * before) / k;
      before = value;
      value = next;
    }
    derivative = n * (x * value - before) / (x * x - 1);
    const double move = value / derivative;
    x -= move;
    if (std::fabs(move) < 1e-15) break;
  }
  return 2 / ((1 - x * x) * derivative * derivative);
}

// p! q! / (p + q + 1)!, the integral of t^p (1 - t)^q, for p + q <= 64.
class BetaTable {
 public:
  BetaTable() {
    for (int p = 0; p < kSize; ++p)
      for (int q = 0; q + p < kSize; ++q) {
        double binomial = 1;
        for (int k = 1; k <= q; ++k) binomial = binomial * (p + k) / k;
        value_[p][q] = 1 / ((p + q + 1) * binomial);
      }
  }
  double operator()(int p, int q) const noexcept { return value_[p][q]; }

 private:
  static constexpr int kSize = kMostBackgroundLiterals + 1;
  double value_[kSize][kSize] = {};
};

const BetaTable& beta() {
  static const BetaTable table;
  return table;
}

template <class Body>
void for_bits(std::uint64_t bits, Body body) {
  for (; bits != 0; bits &= bits - 1) body(std::countr_zero(bits));
}

}  // namespace

Quadrature::Quadrature(int most_points) {
  for (int n = 1; n <= most_points; ++n) {
    for (int i = n; i-- > 0;) {  // ascending in t
      double x = n == 1 ? 0.0 : std::cos(std::numbers::pi * (i + 0.75) / (n + 0.5));
      const double weight = n == 1 ? 2.0 : legendre_root(n, x);
      points_.push_back((1 + x) / 2);
      weights_.push_back(weight / 2);
    }
  }
}

LeafGame::LeafGame(const Quadrature& quadrature, const TreePaths& paths, const BackgroundPatterns* background,
                   ShapTarget target)
    : quadrature_(quadrature), paths_(paths), background_(background), target_(target) {}

void LeafGame::prepare(std::size_t leaf) {
  const PathLeaf& path = paths_.leaves[leaf];
  leaf_ = leaf;
  d_ = static_cast<int>(path.count);
  const std::size_t d = path.count;
  n_targets_ = target_ == ShapTarget::feature ? d : d * (d - (d > 0)) / 2;
  out_.resize(n_targets_ * kShapRows);
  if (background_ == nullptr) {
    if (d > 0) prepare_polynomial(path);
    return;
  }
  known_.assign(path.count <= kRemembered ? std::size_t{1} << d : 0, 0);
  memory_.resize(known_.size() * n_targets_);
}

void LeafGame::prepare_polynomial(const PathLeaf& leaf) {
  const int n_points = (d_ + 1) / 2;
  const auto points = quadrature_.points(n_points);
  const auto k = static_cast<std::size_t>(n_points);
  absent_.resize(leaf.count * k);
  ratio_.resize(leaf.count * k);
  absent_ratio_.resize(k);
  scratch_.resize(leaf.count * simd::kShapLanes);
  for (std::size_t q = 0; q < k; ++q) absent_ratio_[q] = -1 / (1 - points[q]);
  const auto literals = paths_.literals_of(leaf);
  for (std::size_t i = 0; i < literals.size(); ++i)
    for (std::size_t q = 0; q < k; ++q) {
      const double absent = (1 - points[q]) * literals[i].share;
      absent_[i * k + q] = absent;
      ratio_[i * k + q] = (1 - literals[i].share) / (absent + points[q]);
    }
  polynomial_ = {d_,           n_points,      points.data(),        quadrature_.weights(n_points).data(),
                 absent_.data(), ratio_.data(), absent_ratio_.data()};
}

std::span<const double> LeafGame::operator()(const double* present, int n) {
  if (n_targets_ == 0) return {};
  if (background_ != nullptr)
    against_background(present, n);
  else if (target_ == ShapTarget::feature)
    simd::shap().path_values(polynomial_, present, n, out_.data());
  else
    simd::shap().path_pairs(polynomial_, present, n, scratch_.data(), out_.data());
  return out_;
}

void LeafGame::against_background(const double* present, int n) {
  for (int row = 0; row < n; ++row) {
    std::uint64_t bits = 0;
    for (int i = 0; i < d_; ++i) bits |= static_cast<std::uint64_t>(present[i * kShapRows + row] != 0) << i;
    const bool remembers = !known_.empty();
    double* memory = remembers ? memory_.data() + bits * n_targets_ : nullptr;
    if (remembers && known_[bits]) {
      for (std::size_t t = 0; t < n_targets_; ++t) out_[t * kShapRows + static_cast<std::size_t>(row)] = memory[t];
      continue;
    }
    add_pattern(bits, row);
    if (!remembers) continue;
    known_[bits] = 1;
    for (std::size_t t = 0; t < n_targets_; ++t) memory[t] = out_[t * kShapRows + static_cast<std::size_t>(row)];
  }
}

// All that a background pattern lacks the row must have: then b, the number of features that only the background has, is
// the number that the row lacks.
void LeafGame::add_pattern(std::uint64_t present, int row) {
  const auto at = [&](std::size_t target) -> double& { return out_[target * kShapRows + static_cast<std::size_t>(row)]; };
  const auto pair = [d = d_](int i, int j) { return static_cast<std::size_t>(i * (2 * d - i - 1) / 2 + j - i - 1); };
  for (std::size_t t = 0; t < n_targets_; ++t) at(t) = 0;
  const std::uint64_t all = d_ == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << d_) - 1;
  const std::uint64_t lacking = all & ~present;
  const int b = std::popcount(lacking);
  for (std::size_t p = background_->first[leaf_]; p < background_->first[leaf_ + 1]; ++p) {
    const std::uint64_t other = background_->pattern[p];
    if ((present | other) != all) continue;
    const std::uint64_t own = present & ~other;
    const int a = std::popcount(own);
    const double share = background_->share[p];
    if (target_ == ShapTarget::feature) {
      if (a > 0) for_bits(own, [&, w = share * beta()(a - 1, b)](int i) { at(static_cast<std::size_t>(i)) += w; });
      if (b > 0) for_bits(lacking, [&, w = share * beta()(a, b - 1)](int i) { at(static_cast<std::size_t>(i)) -= w; });
      continue;
    }
    for_bits(own | lacking, [&](int i) {
      for_bits((own | lacking) & ~((std::uint64_t{2} << i) - 1), [&](int j) {
        const bool own_i = own >> i & 1, own_j = own >> j & 1;
        const double w = own_i && own_j ? beta()(a - 2, b) : (own_i || own_j ? -beta()(a - 1, b - 1) : beta()(a, b - 2));
        at(pair(i, j)) += share * 0.5 * w;
      });
    });
  }
}

double leaf_base(const TreePaths& paths, const BackgroundPatterns* background, std::size_t leaf) {
  const PathLeaf& path = paths.leaves[leaf];
  if (background == nullptr) return path.weight;
  const std::uint64_t all = path.count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << path.count) - 1;
  double sum = 0;
  for (std::size_t p = background->first[leaf]; p < background->first[leaf + 1]; ++p)
    if (background->pattern[p] == all) sum += background->share[p];
  return sum;
}

}  // namespace mlwright::tree
