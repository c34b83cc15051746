// The best cut of a node with fewer rows than its features have codes: without a histogram of the node.
//
// Where most codes have no row, clearing, subtracting and searching histograms costs more than their rows do. Each feature's
// rows are summed in one array that stays in the cache, the codes that have rows are put side by side, and their cuts are
// looked at. Codes without rows are cuts like the one before them, so the answer is that of SplitSearch to the bit. Where
// this is not so, a feature's codes are looked at whole.
// O(rows) a feature. Thread-safe.
#pragma once

#include <span>
#include <vector>

#include "mlwright/tree/split_search.hpp"

namespace mlwright::tree {

class SmallNodes {
 public:
  // whole: features whose codes without rows matter; one flag a feature.
  SmallNodes(const BinnedMatrix& bins, const HistogramLayout& layout, std::vector<std::uint8_t> whole);

  // Whether nodes of so many rows are searched so. If they are, then those of fewer.
  bool take(index_t n_rows) const noexcept { return n_rows <= most_rows_; }

  // Of some features, ascending; ties go to the lower one.
  Split best(std::span<const index_t> features, std::span<const std::uint32_t> rows, const RowEntries& entries,
             const SplitSearch::OfFeature& of_feature) const;

 private:
  static constexpr index_t kMostRows = 128;

  const BinnedMatrix& bins_;
  std::vector<std::uint8_t> whole_;
  index_t most_rows_ = -1;
};

}  // namespace mlwright::tree
