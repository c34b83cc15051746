// A prior that few variables are split by: weights s ~ Dirichlet(theta / p), theta / (theta + p) ~ Beta(1/2, 1) on a grid.
//
// Given the trees, a rule's variable was drawn by s among those with rules at its node. With the draws imagined that came to
// none of those and were repeated, the counts are multinomial and s is Dirichlet again: exact, where counting the rules alone
// is not. Linero (2018), Bayesian regression trees for high-dimensional prediction and variable selection, JASA 113.
#pragma once

#include <span>
#include <vector>

#include "mlwright/runtime/rng.hpp"
#include "mlwright/sampler/bart/space.hpp"

namespace mlwright::sampler::bart {

class Sparsity {
 public:
  explicit Sparsity(std::size_t n_variables);

  std::span<const double> weights() const noexcept { return weights_; }
  void clear() noexcept { counts_.assign(counts_.size(), 0.0); }
  // One rule by the variable at a place, where those at the `exhausted` places had none.
  void count(std::size_t place, std::span<const int> exhausted, runtime::Rng& rng);
  // Weights, and then theta, given the counts.
  void draw(runtime::Rng& rng);

 private:
  void draw_theta(runtime::Rng& rng);

  std::vector<double> counts_, weights_, log_weights_;
  std::vector<double> thetas_, log_prior_;  // of the grid; log_prior_ with all of the likelihood that s does not enter
  double theta_ = 1;
};

}  // namespace mlwright::sampler::bart
