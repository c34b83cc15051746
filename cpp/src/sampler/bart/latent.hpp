// The latent normal variables of probit regression: z ~ N(mean, 1), positive for one class and negative for the other.
//
// By rejection, exact: of a normal law where much of it is on the right side, else of an exponential one.
// Robert (1995), Simulation of truncated normal variables, Statistics and Computing 5; Albert, Chib (1993), JASA 88.
#pragma once

#include "mlwright/runtime/rng.hpp"

namespace mlwright::sampler::bart {

// z > 0 of N(mean, 1).
double draw_positive(double mean, runtime::Rng& rng);

inline double draw_latent(double mean, bool positive, runtime::Rng& rng) {
  return positive ? draw_positive(mean, rng) : -draw_positive(-mean, rng);
}

}  // namespace mlwright::sampler::bart
