// Scores of a few rows, one after another, by all trees in their order. Of one thread; allocates only where a forest is
// walked, has categorical splits or more than a few outputs.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "mlwright/tree/predictor.hpp"
#include "tree/row_slices.hpp"

namespace mlwright::tree {

// T: of x; Sum: of the sums; Code: what x is compared in.
template <class T, class Sum, class Code>
class FewRows {
 public:
  explicit FewRows(const Predictor& predictor)
      : p_(predictor), slices_(*predictor.row_slices_), n_outputs_(predictor.rules_.start.size()) {
    if (n_outputs_ > few_.size()) many_.resize(n_outputs_);
    sums_ = many_.empty() ? few_.data() : many_.data();
  }

  void run(MatrixView<const T> x, bool own_start, MatrixView<double> raw) {
    for (index_t i = 0; i < x.rows; ++i) {
      for (std::size_t k = 0; k < n_outputs_; ++k)
        sums_[k] = static_cast<Sum>(own_start ? p_.rules_.start[k] : raw(static_cast<index_t>(k), i));
      output_ = 0;
      has_values_ = false;
      const auto& runs = p_.sliced_->runs();
      for (std::size_t r = 0; r < runs.size(); ++r) slices_.is_walked(r) ? walk(x, i, runs[r]) : slice(x, i, r, runs[r]);
      for (std::size_t k = 0; k < n_outputs_; ++k) raw(static_cast<index_t>(k), i) = static_cast<double>(sums_[k]);
    }
  }

 private:
  void slice(MatrixView<const T> x, index_t i, std::size_t r, const SlicedRun& run) {
    slices_.encode(r, x.data + i * x.row_stride, x.col_stride, scratch_);
    std::uint8_t slot[RowSlices::kTrees];
    const auto leaf_size = static_cast<std::size_t>(p_.leaf_size_);
    const Sum* values = p_.sliced_->template values<Sum>();
    const std::size_t* at = slices_.values_of(r);
    for (std::size_t first = 0; first < run.trees.size(); first += RowSlices::kTrees) {
      slices_.leaves(r, first / RowSlices::kTrees, scratch_, slot);
      const std::size_t n = std::min<std::size_t>(RowSlices::kTrees, run.trees.size() - first);
      if (leaf_size == 1 && n_outputs_ == 1) {  // the sum stays in a register
        Sum sum = sums_[0];
        for (std::size_t t = 0; t < n; ++t) sum += values[at[first + t] + slot[t]];
        sums_[0] = sum;
        continue;
      }
      for (std::size_t t = 0; t < n; ++t) {
        for (std::size_t k = 0; k < leaf_size; ++k)
          sums_[output_ + k] += values[at[first + t] + k * run.trees[first + t].n_leaves + slot[t]];
        next_output();
      }
    }
  }

  void walk(MatrixView<const T> x, index_t i, const SlicedRun& run) {
    take_values(x, i);
    const auto leaf_size = static_cast<std::size_t>(p_.leaf_size_);
    std::uint32_t leaf[Walker::kTrees];
    for (index_t tree = run.first; tree < run.last; tree += Walker::kTrees) {
      const int n = static_cast<int>(std::min<index_t>(Walker::kTrees, run.last - tree));
      p_.walker_.leaves_of_row(tree, n, values_.data(), leaf);
      for (int t = 0; t < n; ++t) {
        for (std::size_t k = 0; k < leaf_size; ++k)
          sums_[output_ + k] += static_cast<Sum>(p_.values_[leaf[t] * leaf_size + k]);
        next_output();
      }
    }
  }

  void take_values(MatrixView<const T> x, index_t i) {
    if (has_values_) return;
    has_values_ = true;
    const auto used = p_.walker_.used();
    values_.resize(std::max<std::size_t>(1, used.size()));
    for (std::size_t u = 0; u < used.size(); ++u) values_[u] = static_cast<double>(static_cast<Code>(x(i, used[u])));
  }

  void next_output() noexcept {
    if (p_.leaf_size_ == 1) output_ = output_ + 1 == n_outputs_ ? 0 : output_ + 1;
  }

  const Predictor& p_;
  const RowSlices& slices_;
  std::size_t n_outputs_, output_ = 0;
  RowSlices::Scratch<Code> scratch_;
  std::array<Sum, 16> few_;
  std::vector<Sum> many_;
  Sum* sums_;
  std::vector<double> values_;  // of the features that are walked by
  bool has_values_ = false;
};

}  // namespace mlwright::tree
