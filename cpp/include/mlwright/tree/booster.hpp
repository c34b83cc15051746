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

namespace mlwright::tree {

class Booster {
 public:
  // weight: empty for all ones. first_tree: how many trees were grown before (random draws go on from there).
  Booster(std::shared_ptr<const BinnedMatrix> bins, std::vector<double> y, std::vector<double> weight,
          std::unique_ptr<Objective> objective, TreeRules rules, std::uint64_t first_tree = 0);

  // What the columns of `bins` show, where they are not the features themselves or have categories.
  void set_columns(CategoryColumns columns);
  bool has_columns() const noexcept { return !columns_.empty(); }
  CategorySets take_sets() { return columns_.take_sets(); }

  int n_outputs() const noexcept { return objective_->n_outputs(); }
  std::vector<double> start(runtime::CancelToken& token) const;
  // Sets every row's scores: output k of row i at values[k * n + i].
  void set_raw(std::span<const double> values);
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
  Gradients gradients_of(int output, const RowSample*& sample, runtime::CancelToken& token);
  void find_range(double& largest_g, double& largest_h, int output, runtime::CancelToken& token);

  struct Rounded {
    RowEntries rows;
    std::int64_t n_small = 0;  // rows of fewer units than least_g or least_h
  };
  bool round_coarsely(FixedPoint& fixed, RowEntries& rows, runtime::CancelToken& token);
  Rounded round_finely(const FixedPoint& fixed, std::int64_t least_g, std::int64_t least_h, runtime::CancelToken& token);
  Rounded round_to_packed(const FixedPoint& fixed, std::int64_t least_g, std::int64_t least_h, runtime::CancelToken& token);
  template <class Round>
  std::int64_t round_all(runtime::CancelToken& token, Round round);

  std::shared_ptr<const BinnedMatrix> bins_;
  std::vector<double> y_, weight_;
  std::unique_ptr<Objective> objective_;
  TreeRules rules_;
  CategoryColumns columns_;
  Grower grower_;
  RowSampler sampler_;
  // Empty: all ones, those of h_ among them.
  std::span<const double> hessians() const noexcept {
    return hessians_are_one_ ? std::span<const double>() : std::span<const double>(h_);
  }
  bool repetitions_ = false;
  bool hessians_are_one_ = false;
  std::uint64_t total_count_ = 0;
  std::uint64_t tree_;
  Buffer<double> raw_, g_, h_;
  Buffer<Entry> entries_;  // whichever of the two forms of RowEntries is needed
  Buffer<std::uint64_t> packed_;
};

}  // namespace mlwright::tree
