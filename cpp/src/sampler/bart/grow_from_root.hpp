// A tree grown from its root, cut by cut, by how well each cut explains the rows: where chains start from, not what they leave
// invariant.
//
// At a node all cuts of some variables, drawn anew, are weighed by their marginal likelihoods, and not to split by that of the
// leaf times the odds of the prior; one is drawn. Sums of a variable's codes are taken in one pass over the node's rows.
// Cost O(rows x variables looked at) a level. He, Hahn (2023), Stochastic tree ensembles for regularized nonlinear regression,
// JASA 118 (XBART).
#pragma once

#include <span>
#include <vector>

#include "mlwright/runtime/rng.hpp"
#include "mlwright/sampler/bart/data.hpp"
#include "sampler/bart/leaf.hpp"

namespace mlwright::sampler::bart {

class RootGrower {
 public:
  // weight: empty for ones.
  RootGrower(const Data& data, std::span<const std::int64_t> weight, std::int64_t min_weight);

  struct Grown {
    Tree tree;
    std::vector<LeafSums> leaves;  // by slot
  };

  // For residuals of all other trees; writes the slots of rows.
  Grown grow(std::span<const std::int32_t> residual, TreeSpace& space, const LeafModel& model, std::span<std::uint8_t> slots,
             runtime::Rng& rng);

 private:
  struct Part {  // rows of a node: a stretch of order_
    int node = 0;
    std::size_t begin = 0, end = 0;
    LeafSums sums;
  };
  struct Candidate {
    Rule rule;
    double log_weight = 0;
    LeafSums left;
  };

  void gather(const Part& part, std::span<const std::int32_t> residual, const TreeSpace& space, const LeafModel& model,
              const Tree& tree, runtime::Rng& rng);
  void try_column(const Part& part, std::span<const std::int32_t> residual, int variable);
  void try_cuts(const Part& part, int variable, const LeafModel& model);
  void try_sets(const Part& part, int variable, const LeafModel& model, runtime::Rng& rng);
  void add(const Part& part, const Rule& rule, LeafSums left, const LeafModel& model);
  const Candidate* choose(const Part& part, double log_odds_of_leaf, const LeafModel& model, runtime::Rng& rng) const;
  std::size_t divide(const Part& part, const Rule& rule);

  const Data& data_;
  std::span<const std::int64_t> weight_;
  std::int64_t min_weight_;
  std::vector<std::uint32_t> order_, right_;
  std::vector<Candidate> candidates_;
  std::array<LeafSums, 256> by_code_;
};

}  // namespace mlwright::sampler::bart
