// The noise's variance at each row as a product of trees: s2(x) = prod_t h_t(x), leaves ~ nu lambda / chi2(nu).
//
// A sweep proposes one move for every tree against squared residuals over the variance of all others, z_i = r_i^2 / s2_-t(x_i),
// its leaves integrated out, and then draws them. Of a leaf with weight n and S = sum w z, with a = nu / 2, b = nu lambda / 2:
//
//   log m = a log b - log G(a) + log G(a + n / 2) - (a + n / 2) log(b + S / 2),   h | z ~ (nu lambda + S) / chi2(nu + n)
//
// Logarithms of leaves are integers, in units of kLogUnit, so that their sum at a row is exact, whatever the order; z is summed
// in integers, too, of a unit that the largest of them allows. Draws are trees as those of the sum, of logarithms.
// Pratola, Chipman, George, McCulloch (2020), Heteroscedastic BART via multiplicative regression trees, JCGS 29.
#pragma once

#include <functional>

#include "mlwright/sampler/bart/run.hpp"
#include "sampler/bart/forest.hpp"
#include "sampler/bart/streams.hpp"
#include "simd/bart_noise.hpp"

namespace mlwright::sampler::bart {

class Noise {
 public:
  // weight: of padded rows, or empty for ones. sigma2: what the product is to begin with.
  Noise(const Data& data, std::span<const std::int64_t> weight, const Settings& settings, double sigma2, std::function<void()> check);

  void sweep(const std::int32_t* residual, const Streams& streams);

  // out[row] = w / s2 of padded rows, in the smallest unit, a power of two, in which they add up to less than `most`. The unit.
  double precisions(double most, std::int64_t* out) const;
  double mean_variance() const;  // over rows, by weight
  void keep(Draws& draws) const { forest_.keep(draws); }

 private:
  // What is known of a leaf.
  struct Squares {
    double weight = 0, sum = 0;
    Squares operator+(const Squares& o) const noexcept { return {weight + o.weight, sum + o.sum}; }
    Squares operator-(const Squares& o) const noexcept { return {weight - o.weight, sum > o.sum ? sum - o.sum : 0.0}; }
  };
  struct Model {
    double nu, lambda, constant;
    double log_marginal(const Squares& leaf) const noexcept;
  };

  void step(int tree, runtime::Rng random);
  Squares look(int tree, const Proposal& proposal, std::int64_t& weight);
  void pass(int next, const simd::BartSplit& tried);
  void measure();
  std::int32_t draw(const Squares& leaf, runtime::Rng& rng) const;
  double scaled(double sign, double most, std::int64_t* out) const;
  const std::int64_t* weights(index_t begin) const noexcept { return weight_.empty() ? nullptr : weight_.data() + begin; }

  const Data& data_;
  std::span<const std::int64_t> weight_;
  Settings settings_;
  std::function<void()> check_;
  std::int64_t total_weight_;
  Model model_;
  TreeSpace space_;
  Sparsity sparsity_;
  Forest forest_;
  Buffer<std::int32_t> log_precision_;
  Buffer<std::int64_t> block_;
  const std::int32_t* residual_ = nullptr;  // of the sweep
  double largest_ = 0;                      // of the squares, in units of sigma2
  int exponent_ = 0;                        // sums count in 2^-exponent_
  simd::BartSpread spread_;
  std::vector<Squares> leaves_;
};

}  // namespace mlwright::sampler::bart
