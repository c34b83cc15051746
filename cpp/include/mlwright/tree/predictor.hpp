// Prediction by trees that are flat arrays, and the check that makes arrays from a stranger safe to walk.
//
// Tree t is the nodes offsets[t] .. offsets[t + 1] - 1, its root first. A leaf has feature -1; a node's children have
// higher numbers (counted within the tree) than itself. x <= threshold goes left; NaN goes left if missing_left. Tree t
// adds its leaf's value to output t % n_outputs, trees in order: the sum's bits are those of training.
//
// Rows go in blocks, sixteen walks at a time, so that their cache misses and comparisons overlap. Thread-safe.
// Cost: O(rows x trees x depth).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::tree {

struct FlatTrees {
  std::span<const std::int32_t> feature, left, right;
  std::span<const std::uint8_t> missing_left;
  std::span<const double> threshold, value;
  std::span<const std::int64_t> offsets;  // n_trees + 1
  index_t n_features = 0;
};

// Nodes laid out for walking: brothers adjacent, a leaf its own child.
class PackedTrees {
 public:
  // Of trees [first, last). Throws ModelFormatError unless the arrays are trees as described above, with features below
  // n_features, thresholds that are numbers and finite leaf values.
  PackedTrees(const FlatTrees& trees, index_t first, index_t last);

  // raw(k, i) += the sum of output k's trees for row i; `first` tree belongs to output 0.
  template <class T>
  void add_to(MatrixView<const T> x, int n_outputs, MatrixView<double> raw, runtime::CancelToken& token) const;

 private:
  struct Node {
    double threshold;
    std::int32_t feature;
    std::uint32_t left_and_flag;  // left child * 2 + (NaN goes right)
  };
  struct Root {
    std::uint32_t node;
    int depth;
  };
  void pack_tree(const FlatTrees& trees, index_t tree);
  void walk_block(const double* rows, int n_rows, index_t row_stride, int n_outputs, double* raw) const;

  std::vector<Node> nodes_;
  std::vector<double> values_;
  std::vector<Root> roots_;
  index_t n_features_;
};

}  // namespace mlwright::tree
