// One Markov chain of BART: y = sum of trees + noise, y_i ~ N(f(x_i), sigma2 / w_i).
//
//   leaf means   N(0, tau2);  sigma2 ~ nu lambda / chi2(nu), or fixed, or a product of trees (noise.hpp);  tau2 likewise;
//   trees as in space.hpp
//
// A sweep proposes one move for every tree against the residuals of all others, its leaf means integrated out, and then draws
// them; sigma2 and tau2 follow. Each tree costs one pass over the rows, in which what the tree before it changes is applied and
// what it asks for is summed: a byte of its leaf's slot, a byte of the column it splits, four bytes of residual a row, and
// eight of its precision where each row has noise of its own.
//
// Residuals, leaf means and sums are integers, in units of `unit`: no order of rows or instruction set changes a bit, and rows
// with an integer weight equal rows repeated. Doubles begin where a leaf's sum is known. Random numbers are keyed by
// (seed, purpose and iteration, chain and tree). Its twin is mlwright.reference.bart_chain.
// Memory  one byte an observation and tree, and four or eight an observation.
// Chipman, George, McCulloch (2010), BART, Annals of Applied Statistics 4; Linero (2018), JASA 113, of sparse weights.
#pragma once

#include <functional>
#include <optional>

#include "mlwright/sampler/bart/run.hpp"
#include "sampler/bart/forest.hpp"
#include "sampler/bart/grow_from_root.hpp"
#include "sampler/bart/leaf.hpp"
#include "sampler/bart/noise.hpp"
#include "sampler/bart/streams.hpp"
#include "simd/bart_noise.hpp"

namespace mlwright::sampler::bart {

class Chain {
 public:
  // check() is called every few trees and latent variables; may throw. The token is for regions of a chain that runs alone.
  Chain(const Data& data, const Response& response, const Settings& settings, std::uint64_t number, std::function<void()> check,
        runtime::CancelToken& token);

  void sweep();
  void keep(ChainDraws& draws) const;
  index_t iteration() const noexcept { return streams_.iteration; }

 private:
  LeafModel model() const noexcept {
    return noise_ ? LeafModel{settings_.unit, precision_unit_, tau2_, 1} : LeafModel{settings_.unit, settings_.weight_unit, tau2_, sigma2_};
  }
  void step(int tree);
  void regrow(int tree);
  LeafSums look(int tree, const Proposal& proposal, std::int64_t& weight);
  void pass(int next, const simd::BartSplit& tried);
  void add_sums(int next, const simd::BartSplit& tried, index_t begin, index_t rows, int n_slots);
  void start_probit(std::span<const std::int32_t> classes);
  std::int64_t bound() const;
  std::int64_t checked_bound(int next);
  void draw_values(Forest::State& state, std::span<const LeafSums> leaves, runtime::Rng& rng);
  void draw_sigma();
  void draw_noise();
  void weigh(std::int64_t largest);
  void draw_leaf_variance();
  void draw_latents();
  void measure_residuals() noexcept;
  const std::int64_t* weights(index_t begin) const noexcept { return weight_.empty() ? nullptr : weight_.data() + begin; }

  const Data& data_;
  Settings settings_;
  Streams streams_;
  std::function<void()> check_;
  double sigma2_, tau2_;
  double total_weight_ = 0;
  TreeSpace space_;
  Sparsity sparsity_;
  std::optional<RootGrower> grower_;  // while trees are grown from their roots
  Buffer<std::int32_t> residual_, latent_;  // latent: of probit, what the residuals are of
  std::vector<std::uint8_t> positive_;
  Buffer<std::int64_t> weight_;
  Forest forest_;
  std::int64_t bound_ = 0;  // of |residual|
  std::optional<Noise> noise_;
  Buffer<std::int64_t> precision_;  // of rows that have noise of their own, in precision_unit_, for residuals up to weighed_
  double precision_unit_ = 1;
  std::int64_t weighed_ = 0;
  simd::BartSums sums_;
  simd::BartSpread spread_;
  std::vector<LeafSums> leaves_;
};

}  // namespace mlwright::sampler::bart
