// How far draws of Markov chains can be trusted: rank-normalised R-hat, effective sample sizes, Monte Carlo errors.
//
// Of every column of draws (chains x draws x columns), after each chain is split in two halves:
//   rhat       the larger of R-hat of the rank-normalised draws and of their folded distances from the median
//   ess_bulk   effective sample size of the rank-normalised draws
//   ess_tail   the smaller of those of the indicators  x <= 5 % quantile  and  x <= 95 % quantile
//   ess_mean   that of the draws themselves;  ess_sd  that of their squared distances from the mean
//   mcse_mean, mcse_sd   Monte Carlo errors that follow from them
// Autocovariances are summed lag by lag, and no further than Geyer's initial positive sequence goes: a few lags where
// chains mix. One radix sort a column gives all ranks: folded ones by merging outwards from the median.
// NaN where a column is not finite or has fewer than four draws a chain; R-hat needs two chains or more.
// Cost: O(N log N) a column, + O(N) a lag. Deterministic: the same bits for any number of threads. Thread-safe.
// Reference: Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), Rank-normalization, folding, and localization: an
// improved R-hat. Bayesian Analysis 16(2).
#pragma once

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::sampler {

struct Draws {  // row-major: draw i of chain c is the row c * draws + i
  const double* data;
  index_t chains, draws, columns;
};

struct Diagnostics {
  double mean, sd, rhat, ess_bulk, ess_tail, ess_mean, ess_sd, mcse_mean, mcse_sd;
};
inline constexpr index_t kDiagnostics = 9;

// out: one a column.
void diagnose(const Draws& draws, Diagnostics* out, runtime::CancelToken& token);

// Effective sample size of chains x n numbers, chains not split: Geyer's initial monotone sequence. Two or more a chain.
double effective_sample_size(const double* x, index_t chains, index_t n);
// The same of whether numbers are at most `threshold`.
double effective_sample_size_below(const double* x, double threshold, index_t chains, index_t n);

}  // namespace mlwright::sampler
