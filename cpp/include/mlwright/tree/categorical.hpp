// The best cut of one node on a categorical feature: a set of categories goes left.
//
// Categories are put in the order of their evidence (G_c - m H_c) / (H_c + s), m = G / H being the node's own mean and s
// the Hessian of kEvidenceRows of its rows, and the best cut of that order is taken, for either side of the missing
// values. Without smoothing this order holds the best of all sets (Fisher), and chance too: categories of fewer than
// kEvidenceRows rows in the node count as evidence of nothing, 0, and s joins the L2 penalty when cuts are compared.
// Categories of equal evidence stay together: the answer does not depend on how categories are numbered. Figures:
// docs/decisions/categoricals.md.
//
// O(K log K) for K categories. Thread-safe. Sums come as integers: same bits for any threads and SIMD level.
// References: Fisher, JASA 53 (1958), 789-798; Breiman et al., Classification and Regression Trees (1984), theorem 4.5.
#pragma once

#include "mlwright/tree/split.hpp"

namespace mlwright::tree {

inline constexpr int kEvidenceRows = 10;

// As best_split_of_feature, but split.left_codes are the codes that go left, and split.bin means nothing.
Split best_split_of_categories(std::span<const Entry> codes, index_t feature, int n_bins, const NodeSums& node,
                               const FixedPoint& fixed, const SplitRules& rules, runtime::Rng* one_cut);

}  // namespace mlwright::tree
