// One chain of horseshoe regression: where it is, and its next draw.
#pragma once

#include <cmath>
#include <functional>
#include <vector>

#include "sampler/horseshoe/block.hpp"
#include "sampler/horseshoe/common_scale.hpp"
#include "sampler/horseshoe/residual.hpp"

namespace mlwright::sampler::horseshoe {

class Chain {
 public:
  Chain(const Horseshoe& problem, const PackedColumns& packed, const std::vector<double>& squares, std::uint64_t seed,
        std::uint64_t number, index_t warm_up, const std::function<void()>& check);
  void advance();
  index_t iteration() const noexcept { return iteration_; }
  const std::vector<double>& coef() const noexcept { return coef_; }
  double variance() const noexcept { return variance_; }
  double scale() const noexcept { return std::sqrt(tau2_); }

 private:
  void draw_block(runtime::Rng& rng);
  void sweep(runtime::Rng& rng);
  void draw_one(runtime::Rng& rng, std::size_t j);
  void set_pace();
  void draw_scales(runtime::Rng& rng);
  void choose_sides(runtime::Rng& rng);
  void draw_global(runtime::Rng& rng);
  void draw_noise(runtime::Rng& rng);
  void draw_common_scale(runtime::Rng& rng);
  double prior(std::size_t j) const;  // of coefficient j, by s2

  const Horseshoe& problem_;
  const std::vector<double>& squares_;  // x'x + kappa
  std::uint64_t seed_, number_;
  index_t warm_up_;
  std::function<void()> check_;
  Block block_;
  Residual residual_;
  index_t iteration_ = 0, between_blocks_;
  std::size_t between_scales_ = 1;  // coefficients
  double variance_, tau2_;
  std::vector<double> coef_, local2_, prior_, small_coef_;
  std::vector<std::size_t> large_, small_;  // of the last step of the common scale
  CommonScale common_;
};

}  // namespace mlwright::sampler::horseshoe
