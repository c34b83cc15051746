// Gibbs chains of linear regression with the horseshoe prior.
//
//   y | b, s2 ~ N(X b, s2),  b_j ~ N(0, s2 tau^2 lambda_j^2),  lambda_j ~ HalfCauchy(1),  tau ~ HalfCauchy(global_scale),
//   s2 ~ InverseGamma; a slab of precision kappa multiplies the prior by exp(-kappa b_j^2 / (2 s2)) (Nishimura and Suchard).
//
// A draw is a few sweeps, and now and then a draw of all coefficients at once. A sweep takes, one column after the other,
// lambda_j with b_j integrated out (draw_share below: exact, so that a coefficient changes between next to nothing and a signal
// in one step, where a sampler that alternates between b and lambda waits long) and then b_j. Up to eight times a sweep, with
// columns between that it has moved, come steps of the scales:
//   tau            given lambda and b, by the auxiliary number of Makalic and Schmidt;
//   (s2, tau)      along s2 tau^2 = const, on which the prior of b does not depend: as wide a step as n rows allow, not n + p;
//   a common scale along which tau, the small coefficients and the local scales of the large ones change together
//                  (a generalised Gibbs step, Liu and Sabatti): tau given b and lambda alone moves by 1 / sqrt(p) at most.
// All coefficients are drawn at once, s2 integrated out, from p by p systems where there is a Gram matrix, from n by n ones
// otherwise (Bhattacharya, Chakraborty and Mallick), as often as it takes about as long as the sweeps in between; columns that
// look alike need it.
// Cost: of a sweep 2 n p multiply-adds, or p^2 with a Gram matrix. Chains run side by side; the same bits for any number of
// threads. Thread-safe.
// References: Carvalho, Polson, Scott (2010), The horseshoe estimator for sparse signals, Biometrika 97. Bhattacharya,
// Chakraborty, Mallick (2016), Fast sampling with Gaussian scale mixture priors in high-dimensional regression, Biometrika
// 103. Makalic, Schmidt (2016), A simple sampler for the horseshoe estimator, IEEE Signal Processing Letters 23. Liu, Sabatti
// (2000), Generalised Gibbs sampler and multigrid Monte Carlo for Bayesian computation, Biometrika 87. Nishimura, Suchard
// (2023), Shrinkage with shrunken shoulders, Bayesian Analysis 18.
#pragma once

#include <cstdint>
#include <span>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/runtime/progress.hpp"
#include "mlwright/runtime/rng.hpp"

namespace mlwright::sampler {

// kept + shrunk = 1, each to its own precision.
struct Share {
  double kept, shrunk;
};

// How much of its least-squares value c / a a coefficient keeps, kept = v a / (1 + v a), where its prior variance is
// v s2 = tau^2 lambda^2 s2, a = x'x + kappa, c its column's product with what the others leave of y. With q = tau^2 a and
// e = c^2 / (2 s2 a), b integrated out and lambda half-Cauchy, s = kept has the density
//   s^(-1/2) exp(e s) / (q + (1 - q) s)  on (0, 1)
// Rejection from pieces: of 1 / u^2 and constants in u = sqrt(s) near 0, exponential chords of the logarithm, which is
// convex in s, beyond; about 1.3 candidates a draw, whatever q and e. q in (0, 1e100], e in [0, 1e30].
Share draw_share(runtime::Rng& rng, double q, double e);

// out[i] = shrunk of (q[i], e[i]), from the generators of random_fill.hpp.
void fill_shrunk(std::uint64_t seed, std::uint64_t stream, std::span<const double> q, std::span<const double> e,
                 std::span<double> out, runtime::CancelToken& token);

struct Horseshoe {
  index_t n, p;
  const double* columns;          // p x n, one column of X after the other
  const double* gram;             // p x p, X'X, or null: what is read instead of columns where it is given
  std::span<const double> cross;  // X'y
  std::span<const double> y;      // n
  double square;                  // y'y
  double shape, rate;             // of s2: the posterior's shape given b, the prior's rate
  double global_scale, slab_precision;
};

struct HorseshoeSettings {
  std::uint64_t seed;
  index_t chains, warm_up, draws;
};

// coef: chains x draws x p; variance (s2) and scale (tau): chains x draws.
void sample_horseshoe(const Horseshoe& problem, const HorseshoeSettings& how, double* coef, double* variance, double* scale,
                      runtime::CancelToken& token, runtime::Progress& progress);

}  // namespace mlwright::sampler
