#include "sampler/horseshoe/chain.hpp"

#include <algorithm>
#include <cmath>

#include "mlwright/base/elementary.hpp"

namespace mlwright::sampler::horseshoe {
namespace {

using runtime::Rng;

constexpr std::uint32_t kStart = 7601, kMoves = 7602;     // purposes of random numbers
constexpr double kLeast = 1e-100, kMost = 1e100;          // of squared scales: nothing is learnt beyond
constexpr double kLeastGamma = 1e-300, kMostExponent = 1e30;
constexpr int kSweeps = 2;                                // a draw
constexpr double kShareCost = 400;                        // of draw_share, in multiply-adds of a sweep
constexpr double kSideCost = 40;                          // of a coefficient in a step of the scales, in those
constexpr double kMostScaleSteps = 8;                     // a sweep
constexpr double kShareOfScales = 0.3;                    // of a sweep's time, that steps of the scales may take
constexpr unsigned kColumnsBetweenPolls = 256;

double clip(double square) { return std::fmin(std::fmax(square, kLeast), kMost); }

double half_cauchy_squared(Rng& rng) {
  const double a = rng.normal(), b = rng.normal();
  return a * a / std::fmax(b * b, kLeastGamma);
}

// In multiply-adds.
double sweep_cost(const Horseshoe& problem) {
  const auto n = static_cast<double>(problem.n), p = static_cast<double>(problem.p);
  return p * ((problem.gram == nullptr ? 2 * n : p) + kShareCost);
}

// A draw of all coefficients costs as much as the sweeps from one to the next.
index_t sweeps_worth(double block_cost, const Horseshoe& problem) {
  return std::max<index_t>(1, static_cast<index_t>(block_cost / (kSweeps * sweep_cost(problem))));
}

}  // namespace

Chain::Chain(const Horseshoe& problem, const PackedColumns& packed, const std::vector<double>& squares, std::uint64_t seed,
             std::uint64_t number, index_t warm_up, const std::function<void()>& check)
    : problem_(problem),
      squares_(squares),
      seed_(seed),
      number_(number),
      warm_up_(warm_up),
      check_(check),
      block_(problem, packed, check),
      residual_(problem),
      between_blocks_(sweeps_worth(block_.cost(), problem)),
      variance_((problem.rate + 0.5 * problem.square) / problem.shape),
      coef_(static_cast<std::size_t>(problem.p), 0.0),
      local2_(coef_.size()),
      prior_(coef_.size()),
      small_coef_(coef_.size()) {
  // Starts that differ, as R-hat asks for.
  Rng rng(seed, runtime::stream_id(kStart), number);
  constexpr double kFactors[] = {0.25, 1, 4};
  tau2_ = clip(problem.global_scale * problem.global_scale * kFactors[number % 3]);
  for (double& one : local2_) one = clip(1 / std::fmax(rng.exponential(), kLeastGamma));
}

double Chain::prior(std::size_t j) const { return clip(tau2_ * local2_[j]); }

void Chain::advance() {
  Rng rng(seed_, runtime::stream_id(kMoves, static_cast<std::uint32_t>(iteration_)), number_);
  if (iteration_ <= warm_up_) set_pace();  // not later: draws must not depend on where earlier ones went
  if (iteration_ % between_blocks_ == 0) draw_block(rng);
  for (int i = 0; i < kSweeps; ++i) sweep(rng);
  ++iteration_;
}

// How many coefficients are drawn between steps of the scales: those take little of a sweep's time, most where most are small.
void Chain::set_pace() {
  const auto p = static_cast<double>(coef_.size()), turned = static_cast<double>(std::min(large_.size(), small_.size()));
  const double step = p * kSideCost + turned * static_cast<double>(residual_.length());
  const double steps = std::clamp(kShareOfScales * sweep_cost(problem_) / step, 1.0, kMostScaleSteps);
  between_scales_ = static_cast<std::size_t>(std::ceil(p / std::floor(steps)));
}

void Chain::draw_block(Rng& rng) {
  for (std::size_t j = 0; j < coef_.size(); ++j) prior_[j] = prior(j);
  block_.draw(rng, prior_, coef_, variance_);
  residual_.restart(coef_);  // without the rounding of all steps so far, too
}

void Chain::sweep(Rng& rng) {
  const std::size_t p = coef_.size();
  for (std::size_t j = 0; j < p; ++j) {
    if (j % kColumnsBetweenPolls == 0) check_();
    draw_one(rng, j);
    if ((j + 1) % between_scales_ == 0 || j + 1 == p) draw_scales(rng);
  }
}

void Chain::draw_scales(Rng& rng) {
  draw_common_scale(rng);
  draw_global(rng);
  draw_noise(rng);
}

// lambda_j with b_j integrated out, then b_j; from its prior where the column says nothing.
void Chain::draw_one(Rng& rng, std::size_t j) {
  const double a = squares_[j], old = coef_[j];
  if (a <= kLeast) {
    local2_[j] = clip(half_cauchy_squared(rng));
    coef_[j] = std::sqrt(variance_ * prior(j)) * rng.normal();
  } else {
    const double best = (residual_.product(j) + (a - problem_.slab_precision) * old) / a;
    const double q = clip(tau2_ * a), e = std::fmin(0.5 * best * best * a / variance_, kMostExponent);
    const Share share = draw_share(rng, q, e);
    local2_[j] = clip(share.kept / (share.shrunk * q));
    coef_[j] = best * share.kept + std::sqrt(variance_ * share.kept / a) * rng.normal();
  }
  residual_.move(j, coef_[j] - old);
}

// tau^2 | its auxiliary number, lambda, b: inverse gamma.
void Chain::draw_global(Rng& rng) {
  const double global2 = problem_.global_scale * problem_.global_scale;
  double rate = std::fmax(rng.exponential(), kLeastGamma) / (1 / global2 + 1 / tau2_);
  for (std::size_t j = 0; j < coef_.size(); ++j) rate += 0.5 * coef_[j] * coef_[j] / (local2_[j] * variance_);
  const double shape = 0.5 * (static_cast<double>(coef_.size()) + 1);
  tau2_ = clip(rate / std::fmax(rng.gamma(shape), kLeastGamma));
}

// s2 with s2 tau^2 as it is: b keeps its prior, and the rows and the priors of s2 and tau are all that is left to say.
void Chain::draw_noise(Rng& rng) {
  double rest = residual_.square(coef_);
  for (const double b : coef_) rest += problem_.slab_precision * b * b;
  const double global2 = problem_.global_scale * problem_.global_scale, fixed = variance_ * tau2_;
  const double next = (problem_.rate + 0.5 * rest) / std::fmax(rng.gamma(problem_.shape), kLeastGamma);
  // HC(tau) dtau / ds2 along the line: sqrt(s2) / (global2 s2 + s2 tau^2).
  const auto weight = [&](double s2) { return std::sqrt(s2) / (global2 * s2 + fixed); };
  const double tau2 = fixed / next;
  if (tau2 >= kLeast && tau2 <= kMost && rng.uniform() * weight(variance_) < weight(next)) variance_ = next, tau2_ = tau2;
}

// Which coefficients are the small, that go with the common scale, and what they say together.
void Chain::choose_sides(Rng& rng) {
  common_.large.clear(), common_.small.clear(), large_.clear(), small_.clear();
  for (std::size_t j = 0; j < coef_.size(); ++j) {
    const double w = tau2_ * local2_[j] * squares_[j];
    const bool is_small = rng.uniform() * (1 + w) < 1;
    small_coef_[j] = is_small ? coef_[j] : 0;
    (is_small ? small_ : large_).push_back(j);
    (is_small ? common_.small : common_.large).push_back(is_small ? w : local2_[j]);
  }
  if (small_.size() < large_.size()) {
    residual_.begin_direction();
    for (const std::size_t j : small_) residual_.extend_direction(j, coef_[j]);
  } else {
    residual_.begin_direction_of_fit();
    for (const std::size_t j : large_) residual_.extend_direction(j, -coef_[j]);
  }
}

void Chain::draw_common_scale(Rng& rng) {
  choose_sides(rng);
  const auto [square, with_left] = residual_.products(small_coef_);
  double slab = 0;
  for (const double b : small_coef_) slab += problem_.slab_precision * b * b;
  common_.tau2 = tau2_, common_.global2 = problem_.global_scale * problem_.global_scale;
  common_.square = (square + slab) / variance_, common_.product = (with_left + square) / variance_;
  const double c = exp(common_.draw(rng)), tau2 = tau2_ * c * c;
  if (tau2 < kLeast || tau2 > kMost) return;
  tau2_ = tau2;
  for (const std::size_t j : small_) coef_[j] *= c;
  for (const std::size_t j : large_) local2_[j] = clip(local2_[j] / (c * c));
  residual_.move_along(c - 1);
}

}  // namespace mlwright::sampler::horseshoe
