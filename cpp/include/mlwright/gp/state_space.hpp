// Gaussian processes of one column as state-space models: likelihood, gradient and posterior in O(n), exactly.
//
// A process with a Matern 1/2, 3/2 or 5/2 covariance is the first component of a linear stochastic differential equation of
// 1, 2 or 3 states, a constant one is a state that never changes, and a sum of terms is a longer state. With a = lambda dt,
// lambda = sqrt(2 nu) / l, and derivatives in units of lambda, the transition is exp(-a) (I + a N + a^2 N^2 / 2), N nilpotent,
// and the noise of a step sums integrals of s^k exp(-2 s) over [0, a], which are computed without cancellation. The filter
// gives the likelihood; carried out on numbers with derivatives (forward mode) its gradient. Backwards, the smoother of de
// Jong gives moments of the function, K^-1 y, and the diagonal of K^-1, none by a division by what noise may be; moments
// from whichever end of the series more was known of a row, since the other way all digits of a small variance cancel.
//
// Cost: some 0.1 to 1 us a row, the number of states cubed. Deterministic; covariances are parallel over wanted rows.
// Reference: Hartikainen and Sarkka (2010), Kalman filtering and smoothing solutions to temporal Gaussian process regression
// models; Durbin and Koopman (2012), Time Series Analysis by State Space Methods, sections 4.4 to 4.7.
#pragma once

#include <cstdint>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::gp {

inline constexpr int kMostTerms = 4;

// variance * correlation of |t - t'| / length; a constant has no length.
struct Term {
  int states;  // 0: constant; 1, 2, 3: Matern 1/2, 3/2, 5/2
  double variance, length;
};

// Rows in rising order of t. Where observed is 0 only the process is asked for; y and noise are not read there.
struct Series {
  const double* t;
  const double* y;  // n x n_targets
  const double* noise;
  const std::uint8_t* observed;
  index_t n, n_targets;
};

struct SeriesLikelihood {
  bool positive_definite;  // up to rounding; nothing else is set if not
  double value;
  // By log(variance) and log(length) of each term in turn, then by a number added to the noise of every row.
  std::vector<double> gradient;
};
SeriesLikelihood series_likelihood(const std::vector<Term>& terms, const Series& series, bool with_gradient,
                                   runtime::CancelToken& token);

// K^-1 y (n x n_targets) and the diagonal of K^-1 (n) at observed rows, zero at others. False where the matrix is not
// positive definite, here and below.
bool series_left_out(const std::vector<Term>& terms, const Series& series, double* weights, double* precision,
                     runtime::CancelToken& token);

// Of the process at all rows: posterior means (n x n_targets) and variances (n).
bool series_moments(const std::vector<Term>& terms, const Series& series, double* mean, double* variance,
                    runtime::CancelToken& token);

// out (m x m): posterior covariances of the process at the rows that are not observed, in their order.
bool series_covariance(const std::vector<Term>& terms, const Series& series, double* out, runtime::CancelToken& token);

}  // namespace mlwright::gp
