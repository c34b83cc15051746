// A tree grown from its root, cut by cut, by how well each cut explains the rows: where chains start from, not what they leave
// invariant.
//
// At a node all cuts of some variables are weighed by their marginal likelihoods, and not to split by that of the leaf times the
// odds of the prior; one is drawn. The variables are drawn anew, by one more than how often the other trees split them. Sums by codes are taken of a few variables at once, in one pass over the
// node's rows, whose residuals lie in the node's order; without weights a row's count and residual are one number of 64 bits.
// Cost O(rows x variables looked at) a level. He, Hahn (2023), Stochastic tree ensembles for regularized nonlinear regression,
// JASA 118 (XBART).
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "mlwright/runtime/cancel.hpp"
#include "mlwright/runtime/rng.hpp"
#include "mlwright/sampler/bart/data.hpp"
#include "sampler/bart/leaf.hpp"

namespace mlwright::sampler::bart {

class RootGrower {
 public:
  // weight: empty for ones.
  RootGrower(const Data& data, std::span<const std::int64_t> weight, std::int64_t min_weight, runtime::CancelToken& token);

  struct Grown {
    Tree tree;
    std::vector<LeafSums> leaves;  // by slot
  };

  // In place of the tree `before`, for residuals of all others; writes the slots of rows. Of each tree the first is one leaf.
  Grown grow(const Tree& before, std::span<const std::int32_t> residual, TreeSpace& space, const LeafModel& model,
             std::span<std::uint8_t> slots, runtime::Rng& rng);

 private:
  static constexpr index_t kTogether = 4;  // variables
  using Codes = std::array<LeafSums, 256>;

  struct Part {  // rows of a node: a stretch of order_
    int node = 0;
    std::size_t begin = 0, end = 0;
    LeafSums sums;
  };
  struct Candidate {
    std::int32_t variable = 0, set = -1;  // -1: a rule of numbers, else a place in sets_
    std::uint8_t shift = 0, bound = 0;
    LeafSums left;
  };

  void start(std::span<const std::int32_t> residual);
  void count(const Tree& tree, int times);
  void draw_variables(const TreeSpace& space, const Tree& tree, int node, runtime::Rng& rng);
  void gather(const Part& part, const TreeSpace& space, const Tree& tree, runtime::Rng& rng);
  template <std::size_t kColumns>
  void sum_packed(const Part& part, const int* variables, Codes* sums) const;
  void sum_weighted(const Part& part, int variable, Codes& sums) const;
  void sum_columns(const Part& part);
  void sum_columns(const Part& part, index_t begin, index_t end);
  void try_cuts(const Part& part, int variable, const Codes& sums);
  void try_sets(const Part& part, int variable, const Codes& sums, runtime::Rng& rng);
  void add(const Part& part, Candidate candidate);
  void weigh(const Part& part, const LeafModel& model);
  const Candidate* choose(const Part& part, double log_odds_of_leaf, const LeafModel& model, runtime::Rng& rng);
  Rule rule_of(const Candidate& candidate) const;
  std::size_t divide(const Part& part, const Rule& rule);

  const Data& data_;
  runtime::CancelToken& token_;
  std::span<const std::int64_t> weight_;
  std::int64_t min_weight_;
  std::vector<std::uint32_t> order_, right_;
  std::vector<std::int32_t> value_, right_value_;  // residuals, in the same order
  bool is_packed_ = false;
  std::vector<int> n_splits_;  // of each variable, in all trees
  std::vector<std::pair<double, int>> waits_;
  std::vector<int> variables_;
  std::vector<Candidate> candidates_;
  std::vector<std::array<std::uint64_t, 4>> sets_;
  std::vector<double> shrink_, logs_, weights_;  // of both sides of candidates; and logarithms of their weights
  std::vector<Codes> by_code_;  // of each of variables_
};

}  // namespace mlwright::sampler::bart
