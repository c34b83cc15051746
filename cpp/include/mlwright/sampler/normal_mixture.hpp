// Quantiles of even mixtures of normal laws, one a row: what predictive intervals from draws are.
//
// Newton's steps on the distribution function from the quantile of the normal law of the same mean and variance, within a bracket
// that halves where they leave it. A row is found by itself: other rows change no bit. Cost: about four passes over the
// components a quantile, each of two exponentials a component. Rows side by side; the same bits for any number of threads.
#pragma once

#include <span>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::sampler {

// out: rows x levels. means: rows x components; sds, above 0: of the components, for all rows, or rows x components. Levels in (0, 1).
void normal_mixture_quantiles(const double* means, index_t rows, index_t components, std::span<const double> sds,
                              std::span<const double> levels, double* out, runtime::CancelToken& token);

}  // namespace mlwright::sampler
