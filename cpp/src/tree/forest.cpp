#include "mlwright/tree/forest.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "mlwright/base/error.hpp"

namespace mlwright::tree {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw ModelFormatError("trees: " + what + "; the model is damaged; train or download it again");
}
[[noreturn]] void refuse(index_t tree, index_t node, const std::string& what) {
  refuse("node " + std::to_string(node) + " of tree " + std::to_string(tree) + ": " + what);
}

// Whether offsets[0] = 0 <= ... <= offsets.back() = size, in steps of at least `least`.
bool are_offsets(std::span<const std::int64_t> offsets, std::size_t size, std::int64_t least) {
  bool good = !offsets.empty() && offsets.front() == 0 && offsets.back() == static_cast<std::int64_t>(size);
  for (std::size_t i = 0; good && i + 1 < offsets.size(); ++i)
    good = offsets[i] <= offsets[i + 1] && offsets[i + 1] - offsets[i] >= least;
  return good;
}

void check_lengths(const ForestArrays& f) {
  const std::size_t n = f.feature.size();
  if (n >= (std::size_t{1} << 30)) refuse("got " + std::to_string(n) + " nodes, expected fewer than 2^30");
  const bool values_fit = f.leaf_size >= 1 && f.value.size() % static_cast<std::size_t>(f.leaf_size) == 0 &&
                          f.value.size() / static_cast<std::size_t>(f.leaf_size) == n;
  if (f.left.size() != n || f.right.size() != n || f.missing_left.size() != n || f.threshold.size() != n || !values_fit ||
      (!f.rule.empty() && f.rule.size() != n) || (!f.category_set.empty() && f.category_set.size() != n))
    refuse("their node arrays differ in length; expected one entry a node");
  if (!are_offsets(f.offsets, n, 1)) refuse("their offsets are not increasing from 0 to the number of nodes");
  if (f.set_words.size() >= (std::size_t{1} << 26))
    refuse("got " + std::to_string(f.set_words.size()) + " words of category sets, expected fewer than 2^26");
  const bool no_sets = f.set_offsets.empty() && f.set_words.empty();
  if (!no_sets && !are_offsets(f.set_offsets, f.set_words.size(), 0))
    refuse("the offsets of their category sets are not increasing from 0 to the number of words");
}

void check_rule(const ForestArrays& f, index_t tree, index_t node, std::size_t s) {
  if (f.feature[s] >= f.n_features)
    refuse(tree, node, "its feature is " + std::to_string(f.feature[s]) + " of " + std::to_string(f.n_features));
  if (!f.rule.empty() && f.rule[s] > static_cast<std::uint8_t>(Rule::categorical))
    refuse(tree, node, "its rule is " + std::to_string(f.rule[s]) + ", expected 0, 1 or 2");
  if (f.rule_of(s) != Rule::categorical) {
    if (std::isnan(f.threshold[s])) refuse(tree, node, "its threshold is not a number");
    return;
  }
  const auto n_sets = static_cast<std::int64_t>(f.set_offsets.size()) - 1;
  if (f.category_set.empty() || f.category_set[s] < 0 || f.category_set[s] >= n_sets)
    refuse(tree, node, "its category set is not one of " + std::to_string(std::max<std::int64_t>(0, n_sets)));
}

void check_tree(const ForestArrays& f, index_t tree, std::vector<std::uint8_t>& has_parent) {
  const auto begin = static_cast<std::size_t>(f.offsets[static_cast<std::size_t>(tree)]);
  const index_t n = f.offsets[static_cast<std::size_t>(tree) + 1] - static_cast<index_t>(begin);
  const auto leaf_size = static_cast<std::size_t>(f.leaf_size);
  has_parent.assign(static_cast<std::size_t>(n), 0);
  has_parent[0] = 1;
  for (index_t i = 0; i < n; ++i) {
    const std::size_t s = begin + static_cast<std::size_t>(i);
    if (!has_parent[static_cast<std::size_t>(i)]) refuse(tree, i, "it has no parent before it");
    if (f.feature[s] < 0) {
      for (const double v : f.value.subspan(s * leaf_size, leaf_size))
        if (!std::isfinite(v)) refuse(tree, i, "its value is not finite");
      continue;
    }
    check_rule(f, tree, i, s);
    for (const std::int32_t child : {f.left[s], f.right[s]}) {
      if (child <= i || child >= n) refuse(tree, i, "its child " + std::to_string(child) + " is not after it");
      if (has_parent[static_cast<std::size_t>(child)]) refuse(tree, child, "it has two parents");
      has_parent[static_cast<std::size_t>(child)] = 1;
    }
  }
}

}  // namespace

void check_forest(const ForestArrays& forest) {
  check_lengths(forest);
  std::vector<std::uint8_t> has_parent;
  for (index_t tree = 0; tree < forest.n_trees(); ++tree) check_tree(forest, tree, has_parent);
}

void check_rules(const ForestArrays& forest, const ForestRules& rules) {
  const auto n_outputs = static_cast<index_t>(rules.start.size());
  if (n_outputs < 1) refuse("got no start value, expected one an output");
  if (forest.leaf_size != 1 && forest.leaf_size != n_outputs)
    refuse("their leaves have " + std::to_string(forest.leaf_size) + " values for " + std::to_string(n_outputs) + " outputs");
  for (const double v : rules.start)
    if (!std::isfinite(v)) refuse("a start value is not finite");
  if (!(std::isfinite(rules.divide_by) && rules.divide_by > 0)) refuse("their divisor is not a positive number");
}

}  // namespace mlwright::tree
