#include "mlwright/tree/predictor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"

namespace mlwright::tree {
namespace {

constexpr int kBlockRows = 64;
constexpr int kWalks = 16;
constexpr index_t kGrain = 1024;

[[noreturn]] void refuse(index_t tree, index_t node, const std::string& what) {
  throw ModelFormatError("trees: node " + std::to_string(node) + " of tree " + std::to_string(tree) + ": " + what +
                         "; the model is damaged; train or download it again");
}

void check_lengths(const FlatTrees& t) {
  const std::size_t n = t.feature.size();
  if (t.left.size() != n || t.right.size() != n || t.missing_left.size() != n || t.threshold.size() != n || t.value.size() != n)
    throw ModelFormatError("trees: their node arrays differ in length; expected one entry a node; the model is damaged");
  bool good = !t.offsets.empty() && t.offsets.front() == 0 && t.offsets.back() == static_cast<std::int64_t>(n) &&
              n < (std::size_t{1} << 30);
  for (std::size_t i = 0; good && i + 1 < t.offsets.size(); ++i) good = t.offsets[i] < t.offsets[i + 1];
  if (!good)
    throw ModelFormatError("trees: their offsets are not increasing from 0 to the number of nodes; the model is damaged");
}

}  // namespace

PackedTrees::PackedTrees(const FlatTrees& trees, index_t first, index_t last) : n_features_(trees.n_features) {
  check_lengths(trees);
  if (first < 0 || last < first || last >= static_cast<index_t>(trees.offsets.size()))
    throw InvalidArgument("trees: got trees " + std::to_string(first) + " to " + std::to_string(last) + " of " +
                          std::to_string(trees.offsets.size() - 1));
  const auto at = [&](index_t t) { return static_cast<std::size_t>(trees.offsets[static_cast<std::size_t>(t)]); };
  nodes_.reserve(at(last) - at(first));
  values_.reserve(at(last) - at(first));
  for (index_t tree = first; tree < last; ++tree) pack_tree(trees, tree);
}

// In the order of the source, a node's place is given by its parent, which comes before it.
void PackedTrees::pack_tree(const FlatTrees& trees, index_t tree) {
  const auto begin = static_cast<std::size_t>(trees.offsets[static_cast<std::size_t>(tree)]);
  const index_t n = trees.offsets[static_cast<std::size_t>(tree) + 1] - trees.offsets[static_cast<std::size_t>(tree)];
  const auto base = static_cast<std::uint32_t>(nodes_.size());
  nodes_.resize(nodes_.size() + static_cast<std::size_t>(n));
  values_.resize(nodes_.size(), 0.0);
  std::vector<std::int32_t> place(static_cast<std::size_t>(n), -1), depth(static_cast<std::size_t>(n), 0);
  place[0] = 0;
  std::int32_t taken = 1;
  int deepest = 0;
  for (index_t i = 0; i < n; ++i) {
    const std::size_t s = begin + static_cast<std::size_t>(i);
    if (place[static_cast<std::size_t>(i)] < 0) refuse(tree, i, "it has no parent before it");
    const std::uint32_t here = base + static_cast<std::uint32_t>(place[static_cast<std::size_t>(i)]);
    deepest = std::max(deepest, static_cast<int>(depth[static_cast<std::size_t>(i)]));
    if (trees.feature[s] < 0) {
      if (!std::isfinite(trees.value[s])) refuse(tree, i, "its value is not finite");
      nodes_[here] = {std::numeric_limits<double>::infinity(), 0, here * 2};
      values_[here] = trees.value[s];
      continue;
    }
    if (trees.feature[s] >= n_features_) refuse(tree, i, "its feature is " + std::to_string(trees.feature[s]) +
                                                " of " + std::to_string(n_features_));
    if (std::isnan(trees.threshold[s])) refuse(tree, i, "its threshold is not a number");
    for (const std::int32_t child : {trees.left[s], trees.right[s]}) {
      if (child <= i || child >= n) refuse(tree, i, "its child " + std::to_string(child) + " is not after it");
      if (place[static_cast<std::size_t>(child)] >= 0) refuse(tree, child, "it has two parents");
      place[static_cast<std::size_t>(child)] = taken++;
      depth[static_cast<std::size_t>(child)] = depth[static_cast<std::size_t>(i)] + 1;
    }
    nodes_[here] = {trees.threshold[s], trees.feature[s],
                    (base + static_cast<std::uint32_t>(place[static_cast<std::size_t>(trees.left[s])])) * 2 +
                        (trees.missing_left[s] ? 0U : 1U)};
  }
  roots_.push_back({base, deepest});
}

// rows: n_rows of them, padded to a multiple of kWalks. raw: output k of row i at raw[k * kBlockRows + i].
void PackedTrees::walk_block(const double* rows, int n_rows, index_t row_stride, int n_outputs, double* raw) const {
  int output = 0;
  for (const Root& root : roots_) {
    for (int first = 0; first < n_rows; first += kWalks) {
      const double* row = rows + first * row_stride;
      std::uint32_t at[kWalks];
      std::fill_n(at, kWalks, root.node);
      for (int level = 0; level < root.depth; ++level) {
        std::uint32_t moved = 0;
        for (int w = 0; w < kWalks; ++w) {
          const Node node = nodes_[at[w]];
          const double x = row[w * row_stride + node.feature];
          const std::uint32_t right = static_cast<std::uint32_t>(x > node.threshold) |
                                      (static_cast<std::uint32_t>(x != x) & node.left_and_flag);
          const std::uint32_t next = (node.left_and_flag >> 1) + (right & 1);
          moved |= next ^ at[w];
          at[w] = next;
        }
        if (moved == 0) break;
      }
      for (int w = 0; w < kWalks; ++w) raw[output * kBlockRows + first + w] += values_[at[w]];
    }
    output = output + 1 == n_outputs ? 0 : output + 1;
  }
}

template <class T>
void PackedTrees::add_to(MatrixView<const T> x, int n_outputs, MatrixView<double> raw, runtime::CancelToken& token) const {
  if (x.cols != n_features_ || n_outputs < 1 || raw.rows != n_outputs || raw.cols != x.rows)
    throw InvalidArgument("predict: X, the trees and the output differ in shape");
  if (roots_.empty()) return;
  const index_t stride = std::max<index_t>(1, n_features_);
  runtime::parallel_for(x.rows, kGrain, token, [&](index_t, index_t begin, index_t end) {
    std::vector<double> rows(static_cast<std::size_t>(kBlockRows * stride), 0.0);
    std::vector<double> sums(static_cast<std::size_t>(kBlockRows * n_outputs));
    for (index_t block = begin; block < end; block += kBlockRows) {
      const int n = static_cast<int>(std::min<index_t>(kBlockRows, end - block));
      for (int i = 0; i < n; ++i)
        for (index_t j = 0; j < x.cols; ++j)
          rows[static_cast<std::size_t>(i * stride + j)] = static_cast<double>(x(block + i, j));
      for (int k = 0; k < n_outputs; ++k)
        for (int i = 0; i < n; ++i) sums[static_cast<std::size_t>(k * kBlockRows + i)] = raw(k, block + i);
      walk_block(rows.data(), n, stride, n_outputs, sums.data());
      for (int k = 0; k < n_outputs; ++k)
        for (int i = 0; i < n; ++i) raw(k, block + i) = sums[static_cast<std::size_t>(k * kBlockRows + i)];
    }
  });
}

template void PackedTrees::add_to(MatrixView<const double>, int, MatrixView<double>, runtime::CancelToken&) const;
template void PackedTrees::add_to(MatrixView<const float>, int, MatrixView<double>, runtime::CancelToken&) const;

}  // namespace mlwright::tree
