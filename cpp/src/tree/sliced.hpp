// Trees of up to 255 leaves over tiles of rows, without a branch: every node is looked at for every row, 64 rows at a time.
//
// A value is replaced by its code, the number of the model's own thresholds below it, once for all trees that share the
// thresholds: x > threshold[k] exactly where code(x) > k. Then each row stands in a slot; the splits of a tree in turn move
// the rows of one slot that go right to a new one. That is three instructions a node and vector of rows, and the slot of
// a row at the end is its leaf. Missing values get the lowest or the highest code, whichever way they go, so a column is
// kept for both ways where the trees ask for both; a categorical split is a column of its own.
//
// Codes are bytes. A run of trees shares columns as long as no feature has more than 254 thresholds in it; trees that
// cannot be sliced, or whose run is too short to be worth the codes, are left to the walker. In the manner of QuickScorer
// (Lucchese et al., SIGIR 2015) and of bit-sliced forests; the cost is in docs/decisions/inference.md.
//
// Thread-safe once built. Same bits as the walker at every SIMD level: only comparisons, and sums in the order of trees.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/tree/forest.hpp"
#include "simd/forest.hpp"

namespace mlwright::tree {

// How values are compared in a run: T is what they are compared in.
template <class T>
T zero_bound() noexcept {  // kZeroBound rounded down
  const auto bound = static_cast<T>(kZeroBound);
  return static_cast<double>(bound) > kZeroBound ? std::nextafter(bound, T{0}) : bound;
}
inline std::int8_t missing_code(bool missing_left) noexcept { return missing_left ? std::int8_t{-128} : std::int8_t{127}; }
inline std::uint32_t category_code(double x) noexcept {
  if (std::isnan(x)) return simd::kNoCategory;
  const double whole = std::trunc(x);
  return whole >= 0 && whole < simd::kForeignCategory ? static_cast<std::uint32_t>(whole) : simd::kForeignCategory;
}

struct SlicedRun {
  struct Column {  // codes of one feature
    std::int32_t feature;
    std::int32_t base;     // the same codes, but missing values go right; or -1
    std::uint32_t search;  // where its search tree begins
    std::uint8_t levels;
    bool zero_as_missing, missing_left;
  };
  struct Member {  // a categorical split
    std::uint32_t category;  // which of the run's columns of categories
    std::uint32_t word, n_words;
  };
  struct Tree {
    std::size_t value;
    std::uint32_t node, member;
    std::uint16_t n_nodes, n_leaves, n_members;
  };
  index_t first, last;                     // trees
  std::vector<Column> columns;             // then one column a categorical split of the tree in work
  std::vector<std::int32_t> categories;    // features whose categories are asked for
  std::vector<Tree> trees;
  std::vector<Member> members;
  std::uint32_t most_members = 0;
  double walked_cost = 0;  // estimated nanoseconds a row
};

class Sliced {
 public:
  // The forest was checked before. Keeps runs in the order of the trees.
  explicit Sliced(const ForestArrays& forest);

  const std::vector<SlicedRun>& runs() const noexcept { return runs_; }
  const simd::SlotNode* nodes() const noexcept { return nodes_.data(); }
  // Estimated nanoseconds a row on one core, of many rows: by the runs, and by walking every tree.
  double sliced_cost() const noexcept { return sliced_cost_; }
  double walked_cost() const noexcept { return walked_cost_; }
  const std::uint32_t* words() const noexcept { return words_.data(); }
  // Values of leaves: of output k of a tree they begin at tree.value + k * tree.n_leaves.
  template <class T>
  const T* values() const noexcept {
    if constexpr (sizeof(T) == 4)
      return values32_.data();
    else
      return values64_.data();
  }
  // Search tree of thresholds in double or, rounded down, in float: x <= t as before for every float x.
  template <class T>
  const T* search(const SlicedRun::Column& column) const noexcept {
    if constexpr (sizeof(T) == 4)
      return search32_.data() + column.search;
    else
      return search64_.data() + column.search;
  }
  // The same thresholds, ascending; without infinite ones at the end, which no number is above.
  template <class T>
  std::vector<T> thresholds(const SlicedRun::Column& column) const;

 private:
  friend class RunBuilder;
  std::vector<SlicedRun> runs_;
  std::vector<simd::SlotNode> nodes_;
  std::vector<std::uint32_t> words_;
  std::vector<double> values64_, search64_;
  std::vector<float> values32_, search32_;
  double sliced_cost_ = 0, walked_cost_ = 0;
};

}  // namespace mlwright::tree
