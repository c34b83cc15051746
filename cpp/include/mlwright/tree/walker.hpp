// Trees laid out for walking: brothers adjacent, a leaf its own child. Any depth, any rule.
//
// Rows go in blocks, sixteen walks at a time, so that their cache misses and comparisons overlap; a row alone goes down
// sixteen trees at a time. Trees of numeric nodes alone take a loop without branches. Thread-safe once built. Cost: O(rows x trees x depth).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/tree/forest.hpp"
#include "mlwright/tree/used_features.hpp"

namespace mlwright::tree {

class Walker {
 public:
  static constexpr int kBlock = 64;  // most rows a call of leaves_of
  static constexpr int kTrees = 16;  // most trees a call of leaves_of_row

  Walker() = default;
  explicit Walker(const ForestArrays& forest);  // checked before

  index_t n_trees() const noexcept { return static_cast<index_t>(roots_.size()); }
  // The features that nodes ask for, ascending: column u of a block of rows is feature used()[u].
  std::span<const std::int32_t> used() const noexcept { return used_; }

  // The leaf of each row: its number within the whole forest, whose values are leaf_size numbers of the caller's.
  // rows: row i at rows + i * row_stride, readable up to a multiple of sixteen rows.
  void leaves_of(index_t tree, const double* rows, int n_rows, index_t row_stride, std::uint32_t* leaf) const;
  // The leaf of one row (column u: feature used()[u]) in each of n <= kTrees trees from `tree` on, side by side.
  void leaves_of_row(index_t tree, int n, const double* row, std::uint32_t* leaf) const;
  // Where leaf number `leaf` was among the nodes of the arrays.
  std::uint32_t source_of(std::uint32_t leaf) const noexcept { return sources_[leaf]; }

 private:
  struct Node {
    double threshold;             // of a categorical node: the bits of a Set
    std::int32_t feature;         // a column of used(); the rule in its upper bits where the tree is not plain
    std::uint32_t left_and_flag;  // left child * 2 + (what is missing goes right)
  };
  struct Set {
    std::uint32_t begin, n_words;
  };
  struct Root {
    std::uint32_t node;
    std::int32_t depth;
    bool plain;
  };
  void add_tree(const ForestArrays& forest, index_t tree, const UsedFeatures& features);
  Node inner_node(const ForestArrays& forest, std::size_t source, std::int32_t column, std::uint32_t left) const;
  bool goes_right(const Node& node, double x) const noexcept;
  template <bool kPlain>
  std::uint32_t next(std::uint32_t at, const double* row) const noexcept;
  template <bool kPlain, int kWalks>
  void walk(std::uint32_t* at, int depth, const double* row, index_t row_stride) const noexcept;

  std::vector<Node> nodes_;
  std::vector<std::uint32_t> sources_;
  std::vector<Root> roots_;
  std::vector<std::int32_t> used_;
  std::vector<std::uint32_t> words_;
};

}  // namespace mlwright::tree
