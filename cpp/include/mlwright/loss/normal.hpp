// Negative log density of the normal law, by its mean m and the logarithm s of its standard deviation: l(y, m, s) =
// s + ((y - m) exp(-s))^2 / 2 + log(2 pi) / 2; y any finite number. No constant dropped.
//
// With v = exp(-2 s) and r = y - m: gradients -r v in m and 1 - r^2 v in s. For the Hessian in m and s the Fisher information
// stands, v and 2, which is diagonal: Newton steps with it are natural gradient steps. Where the Hessian in s itself, 2 r^2 v,
// is larger, it is taken: a target far out would else raise s by r^2 v / 2 in one step, instead of at most 1 / 2.
// Reference: Duan et al., NGBoost, ICML 2020; Amari, Neural Computation 10 (1998), 251-276.
#pragma once

#include <cmath>

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

struct Normal {
  static constexpr double kHalfLogTwoPi = 0.9189385332046727;
  static constexpr double kLeastLogScale = -14.0;  // s below is taken for it: a perfect fit must not divide by zero

  static double clamped(double s) { return s < kLeastLogScale ? kLeastLogScale : s; }
  static double value(double r, double s, double v) { return s + r * r * v * 0.5 + kHalfLogTwoPi; }
  static GradHess<double> of_mean(double r, double v) { return {-r * v, v}; }
  static GradHess<double> of_log_scale(double r, double v) {
    const double z2 = r * r * v;
    return {1.0 - z2, z2 > 1.0 ? 2.0 * z2 : 2.0};
  }
  static bool in_domain(double y) { return std::isfinite(y); }
};

}  // namespace mlwright::loss
