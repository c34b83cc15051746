#include "mlwright/tree/walker.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace mlwright::tree {
namespace {

constexpr int kWalks = 16;
constexpr int kRuleShift = 29;  // features number fewer than nodes, so fewer than 2^30: used columns fit below
constexpr std::int32_t kColumnMask = (1 << kRuleShift) - 1;

}  // namespace

Walker::Walker(const ForestArrays& forest) : words_(forest.set_words.begin(), forest.set_words.end()) {
  std::vector<std::int32_t> column_of(static_cast<std::size_t>(forest.n_features), -1);
  for (const std::int32_t j : forest.feature)
    if (j >= 0) column_of[static_cast<std::size_t>(j)] = 0;
  for (std::size_t j = 0; j < column_of.size(); ++j)
    if (column_of[j] == 0) {
      column_of[j] = static_cast<std::int32_t>(used_.size());
      used_.push_back(static_cast<std::int32_t>(j));
    }
  nodes_.reserve(forest.feature.size());
  sources_.reserve(forest.feature.size());
  for (index_t tree = 0; tree < forest.n_trees(); ++tree) add_tree(forest, tree, column_of);
}

Walker::Node Walker::inner_node(const ForestArrays& f, std::size_t source, std::int32_t column, std::uint32_t left) const {
  const Rule rule = f.rule_of(source);
  double threshold = f.threshold[source];
  if (rule == Rule::categorical) {
    const auto set = static_cast<std::size_t>(f.category_set[source]);
    threshold = std::bit_cast<double>(Set{static_cast<std::uint32_t>(f.set_offsets[set]),
                                          static_cast<std::uint32_t>(f.set_offsets[set + 1] - f.set_offsets[set])});
  }
  return {threshold, column | (static_cast<std::int32_t>(rule) << kRuleShift), left * 2 + (f.missing_left[source] ? 0U : 1U)};
}

// In the order of the source, a node's place is given by its parent, which comes before it.
void Walker::add_tree(const ForestArrays& f, index_t tree, const std::vector<std::int32_t>& column_of) {
  const auto begin = static_cast<std::size_t>(f.offsets[static_cast<std::size_t>(tree)]);
  const auto n = static_cast<std::size_t>(f.offsets[static_cast<std::size_t>(tree) + 1]) - begin;
  const auto base = static_cast<std::uint32_t>(nodes_.size());
  nodes_.resize(base + n);
  sources_.resize(base + n);
  std::vector<std::uint32_t> place(n, 0);
  std::vector<std::int32_t> depth(n, 0);
  std::uint32_t taken = 1;
  bool plain = true;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t s = begin + i;
    const std::uint32_t here = base + place[i];
    sources_[here] = static_cast<std::uint32_t>(s);
    if (f.feature[s] < 0) {
      nodes_[here] = {std::numeric_limits<double>::infinity(), 0, here * 2};
      continue;
    }
    plain = plain && f.rule_of(s) == Rule::numeric;
    const auto left = static_cast<std::size_t>(f.left[s]), right = static_cast<std::size_t>(f.right[s]);
    nodes_[here] = inner_node(f, s, column_of[static_cast<std::size_t>(f.feature[s])], base + taken);
    place[left] = taken++;
    place[right] = taken++;
    depth[left] = depth[right] = depth[i] + 1;
  }
  roots_.push_back({base, *std::max_element(depth.begin(), depth.end()), plain});
}

bool Walker::goes_right(const Node& node, double x) const noexcept {
  const auto rule = static_cast<Rule>(node.feature >> kRuleShift);
  if (std::isnan(x) || (rule == Rule::zero_as_missing && std::fabs(x) <= kZeroBound)) return node.left_and_flag & 1U;
  if (rule != Rule::categorical) return x > node.threshold;
  const Set set = std::bit_cast<Set>(node.threshold);
  const double whole = std::trunc(x);
  if (!(whole >= 0.0 && whole < 32.0 * static_cast<double>(set.n_words))) return true;
  const auto code = static_cast<std::uint64_t>(whole);
  return ((words_[set.begin + code / 32] >> (code % 32)) & 1U) == 0;
}

void Walker::leaves_of(index_t tree, const double* rows, int n_rows, index_t row_stride, std::uint32_t* leaf) const {
  const Root root = roots_[static_cast<std::size_t>(tree)];
  for (int first = 0; first < n_rows; first += kWalks) {
    const double* row = rows + first * row_stride;
    std::uint32_t at[kWalks];
    std::fill_n(at, kWalks, root.node);
    for (int level = 0; level < root.depth; ++level) {
      std::uint32_t moved = 0;
      for (int w = 0; w < kWalks; ++w) {
        const Node node = nodes_[at[w]];
        std::uint32_t right;
        if (root.plain) {
          const double x = row[w * row_stride + node.feature];
          right = static_cast<std::uint32_t>(x > node.threshold) | (static_cast<std::uint32_t>(x != x) & node.left_and_flag);
        } else {
          const bool leaf_already = node.left_and_flag >> 1 == at[w];
          right = !leaf_already && goes_right(node, row[w * row_stride + (node.feature & kColumnMask)]);
        }
        const std::uint32_t next = (node.left_and_flag >> 1) + (right & 1);
        moved |= next ^ at[w];
        at[w] = next;
      }
      if (moved == 0) break;
    }
    std::copy_n(at, std::min(kWalks, n_rows - first), leaf + first);
  }
}

}  // namespace mlwright::tree
