// Gradient boosting: scores, gradients, one tree an output and iteration.
//
// Weights that are all integers are repetitions: they multiply integer gradients and are what min_samples_leaf counts, so
// weight w gives the model of w repetitions. Other weights say how much a row matters: they scale gradients and Hessians,
// rows are counted as rows, and min_hessian is meant for a mean weight of 1. Rows of weight zero must not come here.
// Where trees are grown on samples of the rows (row_sample.hpp), a row is drawn as one, whatever its weight.
// Not thread-safe: one Booster a fit. All results independent of threads and SIMD level.
// Reference: Friedman, Annals of Statistics 29 (2001), 1189-1232; Newton steps as in Chen and Guestrin, KDD 2016.
#pragma once

#include <memory>
#include <vector>

#include "mlwright/tree/category_columns.hpp"
#include "mlwright/tree/grower.hpp"
#include "mlwright/tree/objective.hpp"

namespace mlwright::simd {
struct RoundedTotals;
}

namespace mlwright::tree {

class Booster {
 public:
  // y and weight (empty for all ones) are the caller's, and must outlive this. first_tree: how many trees were grown before
  // (random draws go on from there).
  Booster(std::shared_ptr<const BinnedMatrix> bins, Targets y, std::span<const double> weight,
          std::unique_ptr<Objective> objective, TreeRules rules, std::uint64_t first_tree = 0);

  // What the columns of `bins` show, where they are not the features themselves or have categories.
  void set_columns(CategoryColumns columns);
  bool has_columns() const noexcept { return !columns_.empty(); }
  CategorySets take_sets() { return columns_.take_sets(); }

  int n_outputs() const noexcept { return objective_->n_outputs(); }
  std::vector<double> start(runtime::CancelToken& token) const;
  // Sets every row's scores: output k of row i at values[k * n + i].
  void set_raw(std::span<const double> values);
  // The same score for all rows: one of each output.
  void set_start(std::span<const double> values, runtime::CancelToken& token);
  std::span<const double> raw() const noexcept { return {raw_.data(), raw_.size()}; }
  // Gradients of one output at the present scores, weights multiplied in; h is empty where it is all ones.
  struct WeightedGradients {
    std::vector<double> g, h;
  };
  WeightedGradients gradients(int output, runtime::CancelToken& token);
  void give(std::span<const double> g, std::span<const double> h) { objective_->give(g, h); }
  // One iteration; its trees, one an output. Where outputs share a tree, they differ in the values of leaves only.
  std::vector<std::vector<Node>> step(runtime::CancelToken& token);
  // In place of growing: moves the leaves' values of one iteration's trees that were grown before (Grower::refit), and adds
  // them to the scores. Returns the nodes' values of each.
  std::vector<std::vector<double>> refit(std::span<const GivenTree> trees, double decay, runtime::CancelToken& token);
  // Weighted mean loss of the training rows at the present scores.
  double loss(runtime::CancelToken& token) const;

 private:
  void renew_leaves(std::vector<Node>& nodes, int output, runtime::CancelToken& token);

  // In booster_gradients.cpp:
  struct Units {  // that rows of one output are packed in
    FixedPoint fixed;
    bool constant_hessian = false;
    bool known = false;
    bool operator==(const Units&) const = default;
  };
  struct RowTotals {  // of rows as they were rounded
    Entry sum;
    std::int64_t n_small = 0;  // rows of few units
  };
  struct Range {
    double largest_g, largest_h;
    RowTotals packed;  // by a guess
  };
  struct Rounded {
    RowEntries rows;
    RowTotals totals;
  };
  static RowTotals totals_of(const simd::RoundedTotals& totals) noexcept;
  void compute(int output, index_t begin, index_t end, double* g, double* h) const;
  Gradients::Strip strip(int output, index_t begin, index_t end, double* memory) const;
  auto strips(int output) const {
    return [this, output](index_t begin, index_t end, double* memory) { return strip(output, begin, end, memory); };
  }
  void refuse_gradients(int output) const;
  Range find_range(int output, const Units& guess, runtime::CancelToken& token);
  Gradients gradients_of(int output, const RowSample*& sample, runtime::CancelToken& token);
  bool round_coarsely(int output, const Range& range, Units& units, FixedPoint& fixed, Rounded& rounded,
                      runtime::CancelToken& token);
  Rounded round_finely(int output, const FixedPoint& fixed, runtime::CancelToken& token);
  Rounded round_to_packed(int output, const Units& units, runtime::CancelToken& token);
  Rounded packed_rows(const Units& units, const RowTotals& totals) const;
  RowTotals pack(const double* g, const double* h, index_t begin, index_t end, const Units& units);
  template <class Round>
  RowTotals round_all(int output, runtime::CancelToken& token, Round round) const;

  std::shared_ptr<const BinnedMatrix> bins_;
  Targets y_;
  std::span<const double> weight_;
  std::unique_ptr<Objective> objective_;
  TreeRules rules_;
  CategoryColumns columns_;
  Grower grower_;
  RowSampler sampler_;
  bool repetitions_ = false;
  bool has_hessians_ = false;  // not constant, or made so by weights or samples
  bool hessians_are_one_ = false;  // those of this tree
  bool keeps_gradients_ = false;
  std::vector<Units> units_;  // of each output, in the last iteration
  std::uint64_t total_count_ = 0;
  std::uint64_t tree_;
  Buffer<double> raw_;
  Buffer<double> g_, h_;  // of this tree, if kept
  Buffer<Entry> entries_;  // whichever of the two forms of RowEntries is needed
  Buffer<std::uint32_t> packed_;
};

}  // namespace mlwright::tree
