// Quantiles of even mixtures of Poisson or negative binomial laws, one a row: what predictive intervals of counts are.
//
// The quantile at a level q is the least k whose distribution function F(k) is at least q. F is not drawn from but computed:
// of a law with mean m, 1 - F(k; m) is the integral from 0 to m of a density f_k, smooth in the mean's variance-stabilised
// place s = asinh(sqrt(phi m)) / sqrt(phi), about as wide as 1/2. On panels of places f_k is its Chebyshev interpolant, and
// a mixture's sum of integrals is a sum over nodes, whose weights are the components' Chebyshev moments: one pass over the
// components, and then some hundred exponentials a value of F, which is exact to about 1e-12. Dispersions that differ are
// interpolated likewise, in their logarithms. From the quantile of a law of the same mean and variance Newton's steps find k,
// within a bracket that halves where they leave it.
//
// A row is found by itself: other rows change no bit. Rows side by side; the same bits for any number of threads.
// Means above 1e15, beyond which doubles do not hold all counts, count as 1e15.
#pragma once

#include <span>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::sampler {

// out: rows x levels. means: rows x components, not negative. dispersions: of the components, with variances
// mean + dispersion mean^2; empty for Poisson laws. Levels in (0, 1).
void count_mixture_quantiles(const double* means, index_t rows, index_t components, std::span<const double> dispersions,
                             std::span<const double> levels, double* out, runtime::CancelToken& token);

}  // namespace mlwright::sampler
