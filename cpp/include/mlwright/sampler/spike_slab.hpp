// Which columns belong into a linear regression: all 2^p sets of them one by one, or Markov chains over sets.
//
//   y | b, s2 ~ N(X b, s2),  b_j | in ~ N(0, s2 / kappa),  b_j | out = 0,  s2 ~ InverseGamma,  p(set) by its size
//
// Coefficients and variance are integrated out, so a set's posterior is known up to a constant in
//   ln w = ln p(size) + size/2 ln kappa - 1/2 ln |A| - shape ln(rate + r / 2),  A = X'X + kappa I on the set, r = y'y - c'A^-1 c.
// Everything is read from one symmetric matrix [[X'X + kappa I, X'y], [y'X, y'y]].
// Enumeration sweeps it, in Gray order: O(p^2) a set. Blocks of sets start from the matrix afresh: rounding does not build up,
// and blocks run side by side. Chains keep the inverse of A on their set: O(size^2) a proposal, O(1) for taking a column out; or,
// where the rows are given and fewer than the set's columns, of I + X X' / kappa: O(n^2). They start afresh every few hundred flips.
// Deterministic: the same bits for any number of threads. Thread-safe.
// References: Goodnight (1979), A tutorial on the SWEEP operator, American Statistician 33. George and McCulloch (1997),
// Approaches for Bayesian variable selection, Statistica Sinica 7.
#pragma once

#include <cstdint>
#include <span>

#include "mlwright/runtime/cancel.hpp"
#include "mlwright/runtime/progress.hpp"

namespace mlwright::sampler {

struct Selection {
  std::span<const double> matrix;     // (p + 1)^2
  std::span<const double> log_prior;  // p + 1: of one set of each size
  double log_slab;                    // ln(kappa) / 2
  double shape, rate;                 // of the variance: the posterior's shape, the prior's rate
  const double* columns = nullptr;    // p x n, the columns of X one after the other, or null
  std::span<const double> y = {};     // n, with them

  index_t p() const noexcept { return static_cast<index_t>(log_prior.size()) - 1; }
};

inline constexpr index_t kMostEnumerated = 25;

// log_weight of all 2^p sets, bit j of the index being column j; coef: means of the coefficients over sets and posterior.
void enumerate_sets(const Selection& selection, std::span<double> log_weight, std::span<double> coef, runtime::CancelToken& token);

struct SelectionSettings {
  std::uint64_t seed;
  index_t chains, warm_up, draws;
};

// coef: chains x draws x p, zeros for what is out; variance: chains x draws.
// An iteration proposes p changes: a flip, or a swap of a column that is in with one that is out.
void sample_sets(const Selection& selection, const SelectionSettings& how, double* coef, double* variance,
                 runtime::CancelToken& token, runtime::Progress& progress);

}  // namespace mlwright::sampler
