#include "sampler/bart/latent.hpp"

#include <cmath>  // sqrt: exactly rounded everywhere

#include "mlwright/base/elementary.hpp"

namespace mlwright::sampler::bart {

double draw_positive(double mean, runtime::Rng& rng) {
  constexpr double kFarOut = 0.45;
  const double bound = -mean;  // of z - mean
  if (bound < kFarOut) {
    double t = rng.normal();
    while (t <= bound) t = rng.normal();
    return mean + t;
  }
  const double rate = 0.5 * (bound + std::sqrt(bound * bound + 4));
  for (;;) {
    const double beyond = rng.exponential() / rate, off = bound + beyond - rate;
    if (log(rng.uniform_open()) <= -0.5 * off * off) return beyond;  // mean + bound + beyond
  }
}

}  // namespace mlwright::sampler::bart
