// The best cut of one node: over features, bins, and the side that missing values go to.
//
// With G, H the sums of gradient and Hessian of a side and lambda the L2 penalty, a side's best constant is
// v = -G / (H + lambda) and the objective falls by gain = G_L^2/(H_L+lambda) + G_R^2/(H_R+lambda) - G^2/(H+lambda)
// (twice the fall, as in scikit-learn). An L1 penalty alpha moves each G towards 0 by alpha, and to 0 at most, first. Under bounds or monotone constraints a side's v is clipped to the bounds and its
// part is -(2 G v + (H+lambda) v^2 + 2 alpha |v|), which is the same where nothing is clipped. Ties go to the lower feature, then the
// lower bin, then missing-right. G, v and gain are in the scale of the tree (FixedPoint). O(codes). Sums come as integers,
// so the answer does not depend on threads or SIMD level.
// Reference: Chen and Guestrin, XGBoost, KDD 2016, eq. 7.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "mlwright/runtime/rng.hpp"
#include "mlwright/tree/code_set.hpp"
#include "mlwright/tree/histogram.hpp"

namespace mlwright::tree {

struct SplitRules {
  double l1 = 0;  // in the scale of the tree
  double l2 = 0;
  double min_hessian = 1e-3;
  std::int64_t min_count = 1;
  std::span<const std::int8_t> monotonic;  // empty, or -1, 0, 1 a feature
};

struct Bounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  double clip(double v) const noexcept { return v < low ? low : (v > high ? high : v); }
};

struct Split {
  index_t feature = -1;  // -1: no cut improves the node
  int bin = 0;           // codes <= bin go left
  bool missing_left = false;
  double gain = 0;
  Entry left, right;
  CodeSet left_codes;  // of a categorical feature: what goes left, in place of bin

  bool found() const noexcept { return feature >= 0; }
};

struct NodeSums {
  Entry sum;
  Bounds bounds;
};

// The best cut of a node on one feature; gain <= 0 is not found. With `one_cut`, only one cut is looked at (extremely
// randomised trees): every cut between the lowest and the highest code that the node's rows have is equally likely; where
// that is one code, the cut that sets missing values apart.
Split best_split_of_feature(std::span<const Entry> codes, index_t feature, int n_bins, const NodeSums& node,
                            const FixedPoint& fixed, const SplitRules& rules, runtime::Rng* one_cut = nullptr);

// What a node gains by its own constant, which a cut must beat; and whether it does by more than the rounding that is left
// of exact ties (a constant gradient).
double gain_of_whole(const NodeSums& node, const FixedPoint& fixed, const SplitRules& rules) noexcept;
bool is_worth_it(double gain, double whole) noexcept;

// The value of a leaf with these sums, before shrinkage.
double leaf_value(double g, double h, double l1, double l2, const Bounds& bounds) noexcept;

}  // namespace mlwright::tree
