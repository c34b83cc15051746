// Grower::refit and Booster::refit: new values for the leaves of trees that keep their shape.
#include <algorithm>
#include <utility>

#include "mlwright/base/error.hpp"
#include "mlwright/tree/booster.hpp"

namespace mlwright::tree {
namespace {

void check(const GivenTree& tree, index_t n_rows, index_t n_features) {
  const std::size_t n = tree.feature.size();
  const auto bad = [](const char* what) { throw InvalidArgument(std::string("refit: ") + what); };
  if (n == 0 || tree.left.size() != n || tree.right.size() != n || tree.value.size() != n) bad("arrays of a tree differ in length");
  if (static_cast<index_t>(tree.leaf_of_row.size()) != n_rows) bad("one leaf a row is expected");
  std::vector<std::uint8_t> has_parent(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    if (tree.feature[i] < 0) continue;
    for (const std::int32_t child : {tree.left[i], tree.right[i]})
      if (child <= static_cast<std::int32_t>(i) || child >= static_cast<std::int32_t>(n) ||
          std::exchange(has_parent[static_cast<std::size_t>(child)], 1) != 0)
        bad("a child is out of range, or has two parents");
    if (tree.feature[i] >= n_features) bad("a feature is out of range");
  }
  for (const std::int32_t leaf : tree.leaf_of_row)
    if (leaf < 0 || leaf >= static_cast<std::int32_t>(n) || tree.feature[static_cast<std::size_t>(leaf)] >= 0)
      bad("a row's leaf is none");
}

// The leaves from left to right, so that the rows below any node lie side by side.
std::vector<std::int32_t> leaves_in_order(const GivenTree& tree) {
  std::vector<std::int32_t> leaves, open{0};
  while (!open.empty()) {
    const std::int32_t node = open.back();
    open.pop_back();
    const auto i = static_cast<std::size_t>(node);
    if (tree.feature[i] < 0) {
      leaves.push_back(node);
      continue;
    }
    open.push_back(tree.right[i]);
    open.push_back(tree.left[i]);
  }
  return leaves;
}

}  // namespace

// The state that growing this tree would have left behind.
void Grower::take_leaves(const GivenTree& tree) {
  const index_t n = bins_.n_rows();
  n_in_ = n;
  nodes_.assign(tree.feature.size(), Node{});
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].feature = tree.feature[i];
    nodes_[i].left = tree.left[i];
    nodes_[i].right = tree.right[i];
    nodes_[i].value = tree.value[i];
  }
  std::vector<index_t> next(nodes_.size(), 0);
  for (const std::int32_t leaf : tree.leaf_of_row) ++next[static_cast<std::size_t>(leaf)];
  leaves_.clear();
  index_t begin = 0;
  for (const std::int32_t node : leaves_in_order(tree)) {
    const index_t size = std::exchange(next[static_cast<std::size_t>(node)], begin);
    leaves_.push_back({node, begin, begin + size, n, n, {}});
    begin += size;
  }
  for (index_t i = 0; i < n; ++i) {
    const auto leaf = static_cast<std::size_t>(tree.leaf_of_row[static_cast<std::size_t>(i)]);
    rows_[static_cast<std::size_t>(next[leaf]++)] = static_cast<std::uint32_t>(i);
  }
}

// As in growing, but unscaled: the two sides of a cut on a constrained feature are kept apart by the middle of their own
// constants.
std::vector<Bounds> Grower::bounds_of(const std::vector<LeafSums>& sums) const {
  std::vector<LeafSums> of_node(nodes_.size());
  for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf) of_node[static_cast<std::size_t>(leaves_[leaf].node)] = sums[leaf];
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    if (nodes_[i].feature < 0) continue;
    const LeafSums &left = of_node[static_cast<std::size_t>(nodes_[i].left)], &right = of_node[static_cast<std::size_t>(nodes_[i].right)];
    of_node[i] = {left.g + right.g, left.h + right.h};
  }
  std::vector<Bounds> bounds(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].feature < 0) continue;
    const auto left = static_cast<std::size_t>(nodes_[i].left), right = static_cast<std::size_t>(nodes_[i].right);
    bounds[left] = bounds[right] = bounds[i];
    const int direction = rules_.monotonic.empty() ? 0 : rules_.monotonic[static_cast<std::size_t>(nodes_[i].feature)];
    if (direction == 0) continue;
    const auto value = [&](std::size_t node) {
      return leaf_value(of_node[node].g, of_node[node].h, rules_.l1, rules_.l2, bounds[i]);
    };
    const double middle = bounds[i].clip(value(left) / 2 + value(right) / 2);
    bounds[direction > 0 ? left : right].high = middle;
    bounds[direction > 0 ? right : left].low = middle;
  }
  return bounds;
}

std::vector<Node> Grower::refit(const GivenTree& tree, const Gradients& gradients, runtime::CancelToken& token) {
  take_leaves(tree);
  const std::vector<LeafSums> sums = leaf_sums(gradients, token);
  const std::vector<Bounds> bounds = bounds_of(sums);
  for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
    const auto node = static_cast<std::size_t>(leaves_[leaf].node);
    nodes_[node].value = rules_.learning_rate * leaf_value(sums[leaf].g, sums[leaf].h, rules_.l1, rules_.l2, bounds[node]);
  }
  return nodes_;
}

std::vector<double> Grower::blend(std::span<const double> old, double decay) {
  std::vector<double> values(old.begin(), old.end());
  for (const Leaf& leaf : leaves_) {
    const auto node = static_cast<std::size_t>(leaf.node);
    const bool keeps = leaf.begin == leaf.end && rules_.monotonic.empty();
    if (!keeps) values[node] = decay * values[node] + (1 - decay) * nodes_[node].value;
    nodes_[node].value = values[node];
  }
  return values;
}

std::vector<std::vector<double>> Booster::refit(std::span<const GivenTree> trees, double decay, runtime::CancelToken& token) {
  if (objective_->shares_trees()) throw InvalidArgument("refit: trees whose leaves hold several numbers are not refitted");
  if (static_cast<int>(trees.size()) != n_outputs()) throw InvalidArgument("refit: one tree an output is expected");
  for (const GivenTree& tree : trees) check(tree, bins_->n_rows(), bins_->n_features());
  std::vector<std::vector<double>> values;
  const auto n = static_cast<std::size_t>(bins_->n_rows());
  const RowSample* all = nullptr;
  objective_->prepare(y_, raw_, tree_ / static_cast<std::uint64_t>(n_outputs()), token);
  for (int k = 0; k < n_outputs(); ++k) {
    const Gradients gradients = gradients_of(k, all, token);
    ++tree_;
    const GivenTree& tree = trees[static_cast<std::size_t>(k)];
    std::vector<Node> nodes = grower_.refit(tree, gradients, token);
    if (objective_->renews_leaves()) renew_leaves(nodes, k, token);
    values.push_back(grower_.blend(tree.value, decay));
    grower_.add_to(std::span(raw_).subspan(static_cast<std::size_t>(k) * n, n), token);
  }
  return values;
}

}  // namespace mlwright::tree
