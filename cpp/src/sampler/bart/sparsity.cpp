#include "sampler/bart/sparsity.hpp"

#include <algorithm>
#include <cmath>  // floor

#include "mlwright/base/elementary.hpp"
#include "sampler/log_gamma.hpp"

namespace mlwright::sampler::bart {
namespace {

constexpr int kGrid = 1000;
constexpr double kLeastWeight = 1e-300;  // so that what is left of weights sums to a positive number
constexpr double kMostRepeats = 1e15;    // of which doubles still count every one

// A place drawn by weights that sum to `total`, of those given.
int draw_place(std::span<const int> places, std::span<const double> weights, double total, runtime::Rng& rng) {
  double left = rng.uniform() * total;
  for (const int place : places) {
    left -= weights[static_cast<std::size_t>(place)];
    if (left < 0) return place;
  }
  return places.back();
}

}  // namespace

Sparsity::Sparsity(std::size_t n) : counts_(n), weights_(n, 1.0 / static_cast<double>(n)), log_weights_(n) {
  if (n == 0) return;  // not asked for
  const auto p = static_cast<double>(n);
  for (int k = 1; k <= kGrid; ++k) {
    const double share = static_cast<double>(k) / (kGrid + 1), theta = p * share / (1 - share);
    thetas_.push_back(theta);
    log_prior_.push_back(-0.5 * log(share) + log_gamma(theta).value - p * log_gamma(theta / p).value);
  }
}

void Sparsity::count(std::size_t place, std::span<const int> exhausted, runtime::Rng& rng) {
  counts_[place] += 1;
  if (exhausted.empty()) return;
  double missed = 0, total = 0;
  for (const double w : weights_) total += w;
  for (const int e : exhausted) missed += weights_[static_cast<std::size_t>(e)];
  const double repeats = std::min(std::floor(log(rng.uniform_open()) / log(std::min(missed / total, 1 - 0x1p-53))), kMostRepeats);
  constexpr double kOneByOne = 1000;  // beyond, the shares of many draws stand for the draws
  double left = repeats;
  if (exhausted.size() > 1)
    for (; left > 0 && repeats - left < kOneByOne; left -= 1)
      counts_[static_cast<std::size_t>(draw_place(exhausted, weights_, missed, rng))] += 1;
  for (const int e : exhausted) counts_[static_cast<std::size_t>(e)] += left * weights_[static_cast<std::size_t>(e)] / missed;
}

void Sparsity::draw(runtime::Rng& rng) {
  const auto p = static_cast<double>(weights_.size());
  for (std::size_t i = 0; i < weights_.size(); ++i) log_weights_[i] = rng.log_gamma(theta_ / p + counts_[i]);
  const double largest = *std::ranges::max_element(log_weights_);
  double sum = 0;
  for (const double l : log_weights_) sum += exp(l - largest);
  const double log_sum = largest + log(sum);
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    log_weights_[i] -= log_sum;
    weights_[i] = std::max(exp(log_weights_[i]), kLeastWeight);
  }
  draw_theta(rng);
}

void Sparsity::draw_theta(runtime::Rng& rng) {
  const auto p = static_cast<double>(weights_.size());
  double sum_of_logs = 0, largest = -1e308;
  for (const double l : log_weights_) sum_of_logs += l;
  std::vector<double> density(thetas_.size());
  for (std::size_t k = 0; k < thetas_.size(); ++k) {
    density[k] = log_prior_[k] + thetas_[k] / p * sum_of_logs;
    largest = std::max(largest, density[k]);
  }
  double total = 0;
  for (double& d : density) total += d = exp(d - largest);
  double left = rng.uniform() * total;
  std::size_t k = 0;
  while (k + 1 < density.size() && (left -= density[k]) >= 0) ++k;
  theta_ = thetas_[k];
}

}  // namespace mlwright::sampler::bart
