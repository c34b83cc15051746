// One step of the state of a Matern process; see mlwright/gp/state_space.hpp. Elementary functions are our own: the same bits
// on every machine.
#pragma once

#include "gp/dual.hpp"
#include "mlwright/base/elementary.hpp"

namespace mlwright::gp {

inline constexpr int kMostStates = 3;  // of a term

// Integrals of s^k exp(-2 s) over [0, a], k = 0 .. 4, and e = exp(-2 a).
struct DecayIntegrals {
  explicit DecayIntegrals(double a) : e(mlwright::exp(-2.0 * a)) {
    double power[5] = {1.0, a, a * a, a * a * a, a * a * a * a};
    if (a > 4.0) {  // upwards: what is subtracted is small
      m[0] = 0.5 * (1.0 - e);
      for (int k = 1; k < 5; ++k) m[k] = 0.5 * (k * m[k - 1] - power[k] * e);
      return;
    }
    double term = power[4] * a / 5.0, sum = 0.0;  // the series of an incomplete gamma function: all terms positive
    for (int j = 1; term > 1e-17 * sum && j < 200; ++j) {
      sum += term;
      term *= 2.0 * a / (5.0 + j);
    }
    m[4] = sum * e;
    for (int k = 4; k > 0; --k) m[k - 1] = (2.0 * m[k] + power[k] * e) / k;
  }
  double m[5], e;
};

template <class Real>
struct StateStep {
  Real transition[kMostStates][kMostStates], noise[kMostStates][kMostStates];
};

// Powers of the nilpotent matrix, and stationary covariances, of unit variance.
inline constexpr double kNilpotent2[2][2] = {{1, 1}, {-1, -1}};
inline constexpr double kNilpotent3[3][3] = {{1, 1, 0}, {0, 1, 1}, {-1, -3, -2}};
inline constexpr double kSquare3[3][3] = {{1, 2, 1}, {-1, -2, -1}, {1, 2, 1}};
inline constexpr double kStationary3[3][3] = {{1, 0, -1.0 / 3}, {0, 1.0 / 3, 0}, {-1.0 / 3, 0, 1}};
// What of the noise that drives the last state reaches each state after s, by powers of s, times exp(-s).
inline constexpr double kReach[3][3][3] = {
    {{1, 0, 0}, {0, 0, 0}, {0, 0, 0}}, {{0, 1, 0}, {1, -1, 0}, {0, 0, 0}}, {{0, 0, 0.5}, {0, 1, -0.5}, {1, -2, 0.5}}};
inline constexpr double kDrive[3] = {2.0, 4.0, 16.0 / 3.0};

inline double stationary(int states, int i, int j) { return states == 3 ? kStationary3[i][j] : i == j; }

template <class Real>
StateStep<Real> matern_step(int states, const Real& variance, const Real& a) {
  StateStep<Real> step;
  const double x = value_of(a), e = mlwright::exp(-x);
  const Real decay = chain(a, e, -e);
  for (int i = 0; i < states; ++i)
    for (int j = 0; j < states; ++j) {
      Real sum(i == j);
      if (states == 2) sum += a * kNilpotent2[i][j];
      if (states == 3) sum += a * kNilpotent3[i][j] + a * a * (0.5 * kSquare3[i][j]);
      step.transition[i][j] = decay * sum;
    }
  const DecayIntegrals integrals(x);
  Real m[5];
  double power = integrals.e;
  for (int k = 0; k < 5; ++k, power *= x) m[k] = chain(a, integrals.m[k], power);
  const auto& reach = kReach[states - 1];
  for (int i = 0; i < states; ++i)
    for (int j = 0; j < states; ++j) {
      Real sum(0.0);
      for (int p = 0; p < states; ++p)
        for (int q = 0; q < states; ++q)
          if (const double c = reach[i][p] * reach[j][q]; c != 0.0) sum += m[p + q] * c;
      step.noise[i][j] = variance * sum * kDrive[states - 1];
    }
  return step;
}

}  // namespace mlwright::gp
