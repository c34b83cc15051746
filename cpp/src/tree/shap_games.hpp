// What one leaf of value 1 adds to Shapley values, for a block of patterns: the two games behind one interface.
//
// A pattern says of each literal of the leaf whether it is present: present[i * kShapRows + r] is 1.0 or 0.0. Results are
// out[target * kShapRows + r], targets being literals, or pairs (0,1), (0,2), ... of literals (half an interaction each).
// Pure for a given leaf: the same pattern gives the same bits whatever block it stands in.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "simd/shap.hpp"
#include "tree/shap_paths.hpp"
#include "tree/shap_plan.hpp"

namespace mlwright::tree {

// Gauss-Legendre points and weights on [0, 1], one rule for each number of points from 1.
class Quadrature {
 public:
  explicit Quadrature(int most_points);
  std::span<const double> points(int n) const { return {points_.data() + first(n), static_cast<std::size_t>(n)}; }
  std::span<const double> weights(int n) const { return {weights_.data() + first(n), static_cast<std::size_t>(n)}; }

 private:
  static std::size_t first(int n) { return static_cast<std::size_t>(n) * static_cast<std::size_t>(n - 1) / 2; }
  std::vector<double> points_, weights_;
};

// Distinct patterns of a leaf's literals among the background rows (one bit a literal), and their shares of the rows.
struct BackgroundPatterns {
  std::vector<std::uint64_t> pattern;
  std::vector<double> share;
  std::vector<std::size_t> first;  // one a leaf, and the end
};

inline constexpr std::uint32_t kMostBackgroundLiterals = 64;

// One leaf at a time. Scratch memory of a thread: not thread-safe.
class LeafGame {
 public:
  // background: null for the path-dependent game.
  LeafGame(const Quadrature& quadrature, const TreePaths& paths, const BackgroundPatterns* background, ShapTarget target);

  void prepare(std::size_t leaf);
  // For the leaf last prepared; n <= kShapRows patterns.
  std::span<const double> operator()(const double* present, int n);
  std::size_t n_targets() const noexcept { return n_targets_; }

 private:
  void prepare_polynomial(const PathLeaf& leaf);
  void against_background(const double* present, int n);
  void add_pattern(std::uint64_t present, int row);

  const Quadrature& quadrature_;
  const TreePaths& paths_;
  const BackgroundPatterns* background_;
  ShapTarget target_;
  std::size_t leaf_ = 0;
  std::size_t n_targets_ = 0;
  int d_ = 0;
  simd::PathPolynomial polynomial_{};
  std::vector<double> absent_, ratio_, absent_ratio_, scratch_, out_;
  std::vector<std::int32_t> known_;  // row of out_ ... see against_background
  std::vector<double> memory_;
};

// What a leaf of value 1 predicts when nothing is known.
double leaf_base(const TreePaths& paths, const BackgroundPatterns* background, std::size_t leaf);

}  // namespace mlwright::tree
