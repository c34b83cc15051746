// One Markov chain of BART: y = sum of trees + noise, y_i ~ N(f(x_i), sigma2 / w_i).
//
//   leaf means   N(0, tau2);  sigma2 ~ nu lambda / chi2(nu), or fixed;  tau2 likewise;  trees as in space.hpp
//
// A sweep proposes one move for every tree against the residuals of all others, its leaf means integrated out, and then draws
// them; sigma2 and tau2 follow. Each tree costs one pass over the rows, in which what the tree before it changes is applied and
// what it asks for is summed: a byte of its leaf's slot, a byte of the column it splits, four bytes of residual a row.
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
#include "sampler/bart/grow_from_root.hpp"
#include "sampler/bart/leaf.hpp"
#include "sampler/bart/sparsity.hpp"
#include "simd/bart.hpp"

namespace mlwright::sampler::bart {

class Chain {
 public:
  // check() is called every few trees and latent variables; may throw.
  Chain(const Data& data, const Response& response, const Settings& settings, std::uint64_t number, std::function<void()> check);

  void sweep();
  void keep(Draws& draws) const;
  double sigma2() const noexcept { return sigma2_; }
  index_t iteration() const noexcept { return iteration_; }

 private:
  struct TreeState {
    Tree tree;
    std::vector<std::int32_t> value{0};
    std::vector<std::int64_t> weight{0};
  };
  // What the last move of a tree does to residuals and slots.
  struct Pending {
    int tree = -1;
    Move move = Move::none;
    simd::BartSplit split;
    int last = 0;
    simd::BartValues values;
  };
  std::uint8_t* slots(int tree) noexcept { return slots_.data() + static_cast<std::size_t>(tree) * static_cast<std::size_t>(data_.stride()); }
  runtime::Rng rng(std::uint32_t purpose, std::uint64_t part = 0) const noexcept;

  LeafModel model() const noexcept { return {settings_.unit, settings_.weight_unit, tau2_, sigma2_}; }
  void step(int tree);
  void regrow(int tree);
  simd::BartSplit split_by(const Proposal& proposal);
  void pass(int next, const simd::BartSplit& tried);
  void clear_values(std::size_t n_slots) noexcept;
  void start_probit(std::span<const std::int32_t> classes);
  std::int32_t apply(index_t begin, index_t rows);
  index_t block_rows() const;
  bool accepts(const Proposal& proposal, std::span<const LeafSums> leaves, LeafSums tried, double log_u) const;
  void move(TreeState& state, const Proposal& proposal, std::vector<LeafSums>& leaves, LeafSums tried);
  void draw_values(TreeState& state, std::span<const LeafSums> leaves, runtime::Rng& rng);
  void draw_sigma();
  void draw_leaf_variance();
  void draw_weights();
  void draw_latents();
  void measure_residuals() noexcept;

  const Data& data_;
  Settings settings_;
  std::uint64_t number_;
  std::function<void()> check_;
  index_t iteration_ = 0;
  double sigma2_, tau2_;
  double total_weight_ = 0;
  TreeSpace space_;
  Sparsity sparsity_;
  std::optional<RootGrower> grower_;  // while trees are grown from their roots
  std::vector<TreeState> trees_;
  Buffer<std::int32_t> residual_, latent_;  // latent: of probit, what the residuals are of
  std::vector<std::uint8_t> positive_;
  Buffer<std::int64_t> weight_;
  Buffer<std::uint8_t> slots_;
  std::array<std::vector<std::uint8_t>, 2> sides_;  // of rules of categories: that on trial, and that accepted before
  int side_ = 0;
  Pending pending_;
  std::int64_t bound_ = 0;  // of |residual|
  simd::BartSums sums_;
  std::vector<LeafSums> leaves_;
  std::vector<int> exhausted_;
};

}  // namespace mlwright::sampler::bart
