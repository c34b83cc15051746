// The tree space of BART: its prior, and moves with their exact Metropolis-Hastings ratios.
//
// Prior     A node of depth d that has rules to choose from is split with probability alpha (1 + d)^-beta, by a variable drawn
//           among those that have rules there (evenly, or by weights), by a rule drawn evenly among that variable's. What there
//           is to choose from follows from the rules of the ancestors alone, never from data.
// Moves     grow a leaf, prune the two leaves of a node, change the rule of such a node. Rules are proposed from the prior and
//           cancel in the ratios; counts of leaves that can grow, of leaf parents, and of splittable children do not.
// log_ratio log [p(T') q(T' -> T)] / [p(T) q(T -> T')], all but the likelihood. Its twin, which also proves that it leaves the
//           posterior invariant, is mlwright.reference.bart.
// Cost      O(leaves x depth^2) a proposal; of many variables only those are looked at that ancestors use.
// Chipman, George, McCulloch (1998), Bayesian CART model search, JASA 93.
#pragma once

#include <span>
#include <vector>

#include "mlwright/runtime/rng.hpp"
#include "mlwright/sampler/bart/tree.hpp"

namespace mlwright::sampler::bart {

struct Column {
  int n_cuts = 0;  // of numbers
  bool has_missing = false;
  int n_codes = 0;  // of categories, else 0
};

struct TreePrior {
  double alpha = 0.95, beta = 2;
  int max_depth = kMostLeaves;
};

enum class Move : std::uint8_t { none, grow, prune, change };

struct Proposal {
  Move move = Move::none;
  int node = -1;
  int a = 0, b = 0;  // slots of the two leaves: where rows go by the rule, or that are joined
  Rule rule;
  double log_ratio = 0;
};

// How likely columns are to be split by. Even, until weights are set.
class VariableWeights {
 public:
  bool even() const noexcept { return sums_.empty(); }
  void set(std::span<const double> weights);  // of the usable columns, positive
  double weight(std::size_t i) const noexcept { return weights_[i]; }
  // A place among n usable columns, none of `excluded` (ascending places).
  std::size_t draw(std::size_t n, std::span<const int> excluded, runtime::Rng& rng) const;

 private:
  std::vector<double> weights_, sums_;
};

class TreeSpace {
 public:
  TreeSpace(std::span<const Column> columns, const TreePrior& prior);

  // What moves `tree`, drawn; Move::none where there is no move at all.
  Proposal propose(const Tree& tree, runtime::Rng& rng) const;

  VariableWeights& weights() noexcept { return weights_; }
  std::span<const int> usable() const noexcept { return usable_; }  // the columns that have rules, ascending

  bool splittable(const Tree& tree, int node) const;
  bool has_rules(const Tree& tree, int node, int variable) const;
  double log_odds_of_leaf(int depth) const { return log_no_split(depth) - log_split(depth); }

  // The places in usable() of the columns without rules at a node, ascending.
  void exhausted(const Tree& tree, int node, std::vector<int>& places) const;

 private:
  struct Step {
    const Rule* rule;
    bool left;
  };
  struct Reach {
    int low = 0, high = 0;
    bool missing = true;
    std::array<std::uint64_t, 4> codes{};
  };
  struct Chances {  // of the moves of a tree
    double grow = 0, prune = 0, change = 0;
  };

  void steps_to(const Tree& tree, int node) const;
  void exhausted_by_steps(std::vector<int>& places) const;
  Reach reach(int variable) const;
  static int n_rules(const Column& column, const Reach& reach) noexcept;
  Rule draw_rule(const Tree& tree, int node, runtime::Rng& rng) const;
  Rule draw_set(int variable, const Reach& reach, runtime::Rng& rng) const;

  double log_split(int depth) const;
  double log_no_split(int depth) const;
  bool steps_splittable() const;
  bool child_splittable(const Tree& tree, int node, const Rule& rule, bool left) const;
  static Chances chances(int n_leaves, int n_splittable, int n_leaf_parents) noexcept;
  int n_splittable(const Tree& tree) const;

  Proposal grow(const Tree& tree, int n_growing, int n_parents, const Chances& chance, runtime::Rng& rng) const;
  Proposal prune(const Tree& tree, int n_growing, int n_parents, const Chances& chance, runtime::Rng& rng) const;
  Proposal change(const Tree& tree, int n_growing, int n_parents, const Chances& chance, runtime::Rng& rng) const;
  double log_grow_prior(int depth, bool left, bool right) const;

  std::vector<Column> columns_;
  TreePrior prior_;
  std::vector<int> usable_;
  std::vector<double> log_split_, log_no_split_;  // by depth
  VariableWeights weights_;
  mutable std::vector<Step> steps_;  // scratch: a space belongs to one chain
  mutable std::vector<int> places_;
};

}  // namespace mlwright::sampler::bart
