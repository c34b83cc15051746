// A forest as flat arrays, and the check that makes arrays from a stranger safe to walk.
//
// Tree t is the nodes offsets[t] .. offsets[t + 1] - 1, its root first. A leaf has feature -1; a node's children have
// higher numbers (counted within the tree) than itself, and every node but the root has one parent. Which way x goes is
// said by the node's rule:
//   numeric          x <= threshold goes left; NaN goes left if missing_left
//   zero_as_missing  |x| <= 1e-35f and NaN go left if missing_left, else x <= threshold goes left
//   categorical      NaN goes left if missing_left; else code = trunc(x), and left if the code is in the node's set: bit
//                    c % 32 of word c / 32 of set_words[set_offsets[s] .. set_offsets[s + 1]]. Other codes go right.
// A leaf holds one value, which tree t adds to output t % n_outputs, or one an output.
//
// Cost of the check: one pass over the arrays. Thread-safe; pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/base/view.hpp"

namespace mlwright::tree {

enum class Rule : std::uint8_t { numeric = 0, zero_as_missing = 1, categorical = 2 };
inline constexpr double kZeroBound = 1e-35f;  // LightGBM's kZeroThreshold, which is a float: 1.0000000180025095e-35

struct ForestArrays {
  std::span<const std::int32_t> feature, left, right;
  std::span<const std::uint8_t> missing_left;
  std::span<const double> threshold, value;  // value: leaf_size numbers a node
  std::span<const std::int64_t> offsets;     // n_trees + 1
  std::span<const std::uint8_t> rule;        // empty: all numeric
  std::span<const std::int32_t> category_set;  // empty where no rule is categorical
  std::span<const std::int64_t> set_offsets;
  std::span<const std::uint32_t> set_words;
  index_t n_features = 0;
  index_t leaf_size = 1;

  index_t n_trees() const noexcept { return static_cast<index_t>(offsets.size()) - 1; }
  Rule rule_of(std::size_t node) const noexcept { return rule.empty() ? Rule::numeric : static_cast<Rule>(rule[node]); }
};

// How leaf values become scores: score_k = (start_k + v_1 + v_2 + ...) / divide_by, in the order of the trees, each
// addition rounded to float32 if float32_sum (start and values are rounded to it first).
struct ForestRules {
  std::vector<double> start;    // one an output
  double divide_by = 1;
  bool float32_input = false;   // x is rounded to float32 before it is compared
  bool float32_sum = false;
};

// Throws ModelFormatError unless the arrays are trees as described above, with features below n_features, thresholds that
// are numbers and finite leaf values.
void check_forest(const ForestArrays& forest);
void check_rules(const ForestArrays& forest, const ForestRules& rules);

}  // namespace mlwright::tree
