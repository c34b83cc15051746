#include "mlwright/tree/walker.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace mlwright::tree {
namespace {

constexpr int kRuleShift = 29;  // features number fewer than nodes, so fewer than 2^30: used columns fit below
constexpr std::int32_t kColumnMask = (1 << kRuleShift) - 1;

}  // namespace

Walker::Walker(const ForestArrays& forest) : words_(forest.set_words.begin(), forest.set_words.end()) {
  const UsedFeatures features({forest.feature.begin(), forest.feature.end()});
  used_ = features.list();
  nodes_.reserve(forest.feature.size());
  sources_.reserve(forest.feature.size());
  for (index_t tree = 0; tree < forest.n_trees(); ++tree) add_tree(forest, tree, features);
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
void Walker::add_tree(const ForestArrays& f, index_t tree, const UsedFeatures& features) {
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
    nodes_[here] = inner_node(f, s, features.place_of(f.feature[s]), base + taken);
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

template <bool kPlain>
std::uint32_t Walker::next(std::uint32_t at, const double* row) const noexcept {
  const Node node = nodes_[at];
  const std::uint32_t left = node.left_and_flag >> 1;
  if constexpr (kPlain) {
    const double x = row[node.feature];
    return left + ((static_cast<std::uint32_t>(x > node.threshold) | (static_cast<std::uint32_t>(x != x) & node.left_and_flag)) & 1U);
  } else {
    return left == at ? at : left + (goes_right(node, row[node.feature & kColumnMask]) ? 1U : 0U);
  }
}

// at[w] goes down `depth` levels for row w; row_stride 0: for one row.
template <bool kPlain, int kWalks>
void Walker::walk(std::uint32_t* at, int depth, const double* row, index_t row_stride) const noexcept {
  for (int level = 0; level < depth; ++level) {
    std::uint32_t moved = 0;
    for (int w = 0; w < kWalks; ++w) {
      const std::uint32_t to = next<kPlain>(at[w], row + w * row_stride);
      moved |= to ^ at[w];
      at[w] = to;
    }
    if (moved == 0) break;
  }
}

void Walker::leaves_of(index_t tree, const double* rows, int n_rows, index_t row_stride, std::uint32_t* leaf) const {
  constexpr int kWalks = 16;
  const Root root = roots_[static_cast<std::size_t>(tree)];
  for (int first = 0; first < n_rows; first += kWalks) {
    std::uint32_t at[kWalks];
    std::fill_n(at, kWalks, root.node);
    if (root.plain)
      walk<true, kWalks>(at, root.depth, rows + first * row_stride, row_stride);
    else
      walk<false, kWalks>(at, root.depth, rows + first * row_stride, row_stride);
    std::copy_n(at, std::min(kWalks, n_rows - first), leaf + first);
  }
}

void Walker::leaves_of_row(index_t tree, int n, const double* row, std::uint32_t* leaf) const {
  std::uint32_t at[kTrees];
  int depth = 0;
  bool plain = true;
  for (int t = 0; t < kTrees; ++t) {
    const Root& root = roots_[static_cast<std::size_t>(tree + (t < n ? t : 0))];
    at[t] = root.node;
    depth = std::max(depth, root.depth);
    plain = plain && root.plain;
  }
  if (plain)
    walk<true, kTrees>(at, depth, row, 0);
  else
    walk<false, kTrees>(at, depth, row, 0);
  std::copy_n(at, n, leaf);
}

}  // namespace mlwright::tree
