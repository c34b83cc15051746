// Polya-Gamma variates, and Gibbs chains of logistic regression made of them.
//
// PG(1, z) is drawn exactly, by Devroye's alternating series: candidates from an inverse Gaussian left of 0.64 and an
// exponential right of it, accepted by partial sums that enclose the density; 1.0 to 1.3 candidates a draw, whatever z.
// Given scores, omega_i ~ PG(w_i, eta_i) make the coefficients of a logistic model with a normal prior normal:
//   precision Z' diag(omega) Z + B,  Z'(w (y - 1/2) - omega offset)
// Cost of an iteration: n draws and n p^2 / 2 multiply-adds. The same bits for any number of threads.
// References: Polson, Scott, Windle (2013), Bayesian inference for logistic models using Polya-Gamma latent variables, JASA
// 108; Devroye (2009), On exact simulation algorithms for some distributions related to Jacobi theta functions.
#pragma once

#include <span>

#include "mlwright/linalg/design.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/runtime/progress.hpp"
#include "mlwright/runtime/rng.hpp"

namespace mlwright::sampler {

double polya_gamma(runtime::Rng& rng, double z) noexcept;

// out[i] ~ PG(1, z[i]), from the generators of random_fill.hpp.
void fill_polya_gamma(std::uint64_t seed, std::uint64_t stream, std::span<const double> z, std::span<double> out,
                      runtime::CancelToken& token);

struct LogisticRows {
  const linalg::Design& x;
  std::span<const double> shift, scale;  // of the columns
  std::span<const double> y;             // shares
  const double* w = nullptr;             // whole numbers, or null
  const double* offset = nullptr;        // or null
  bool fit_intercept = true;             // with a flat prior
};

struct GibbsSettings {
  std::uint64_t seed = 0;
  index_t chains = 4, warm_up = 0, draws = 0;
};

// out: chains x draws x (p + 1, or p without an intercept). `precision`: of the coefficients' normal priors. `starts`:
// points to start from, one a chain. Throws NumericalError where the precision is not positive definite.
void sample_logistic(const LogisticRows& rows, std::span<const double> precision, std::span<const double> starts,
                     const GibbsSettings& how, double* out, runtime::CancelToken& token, runtime::Progress& progress);

}  // namespace mlwright::sampler
