// The best cut of a node over many features.
//
// Features of two codes and no missing values have one cut each: their left sums are gathered and their gains found eight at
// a time, which is what makes tables of thousands of indicator columns fast. All others go through one call a feature.
// Either way the answer is the same to the bit. Thread-safe.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "mlwright/tree/split.hpp"

namespace mlwright::tree {

class SplitSearch {
 public:
  // The best cut of one feature by the sums of its codes: n_bins, and that of missing values if it has them.
  using OfFeature = std::function<Split(std::span<const Entry> codes, int n_bins, index_t feature)>;

  // one_at_a_time: features that must go through OfFeature; may be empty.
  SplitSearch(const BinnedMatrix& bins, const HistogramLayout& layout, std::span<const std::uint8_t> one_at_a_time);

  // Of some features, ascending; ties go to the lower one.
  Split best(std::span<const index_t> features, std::span<const Entry> histogram, const NodeSums& node,
             const FixedPoint& fixed, const SplitRules& rules, const OfFeature& of_feature) const;

 private:
  // What there is to do about a feature. Of two codes, one is looked at: the one whose rows go left of the only cut, or the
  // other.
  enum class Kind : std::uint8_t { nothing, left_code, right_code, other };

  Kind kind_of(index_t feature, bool one_at_a_time) const;
  Split other(index_t feature, std::span<const Entry> histogram, const NodeSums& node, const OfFeature& of_feature) const;

  const BinnedMatrix& bins_;
  const HistogramLayout& layout_;
  std::vector<Kind> kind_;
};

}  // namespace mlwright::tree
