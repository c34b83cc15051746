// Losses of stochastic gradient descent, by name at run time: value and slope of one observation in its score p.
//
// Classes (y is -1 or 1, z = y p):
//   hinge(threshold)   max(0, threshold - z); threshold 0 is the perceptron's
//   squared_hinge      max(0, 1 - z)^2
//   modified_huber     max(0, 1 - z)^2 from -1 on, -4 z below
//   log_loss           log(1 + exp(-z))
// Numbers (r = y - p):
//   squared_error      r^2 / 2
//   huber(d)           r^2 / 2 where |r| <= d, else d |r| - d^2 / 2
//   epsilon_insensitive(e), squared_epsilon_insensitive(e)    max(0, |r| - e), and its square
// At a kink the slope is scikit-learn's. No constant dropped.
// Reference: Zhang, Solving large scale linear prediction problems using stochastic gradient descent, ICML 2004.
#pragma once

#include <cmath>

#include "mlwright/base/elementary.hpp"

namespace mlwright::loss {

enum class Margin : int {
  hinge,
  squared_hinge,
  modified_huber,
  log_loss,
  squared_error,
  huber,
  epsilon_insensitive,
  squared_epsilon_insensitive,
};
inline constexpr int kMargins = 8;

struct ValueAndSlope {
  double value, slope;
};

struct MarginLoss {
  Margin kind;
  double parameter;  // threshold, d or e

  double value(double y, double p) const {
    const double z = y * p, size = std::fabs(y - p), over = size - parameter;
    switch (kind) {
      case Margin::hinge: return z <= parameter ? parameter - z : 0.0;
      case Margin::squared_hinge: return z < 1.0 ? (1.0 - z) * (1.0 - z) : 0.0;
      case Margin::modified_huber: return z >= 1.0 ? 0.0 : z >= -1.0 ? (1.0 - z) * (1.0 - z) : -4.0 * z;
      case Margin::log_loss: return softplus(-z);
      case Margin::squared_error: return 0.5 * size * size;
      case Margin::huber: return size <= parameter ? 0.5 * size * size : parameter * (size - 0.5 * parameter);
      case Margin::epsilon_insensitive: return over > 0.0 ? over : 0.0;
      case Margin::squared_epsilon_insensitive: return over > 0.0 ? over * over : 0.0;
    }
    return 0.0;
  }

  double slope(double y, double p) const {
    const double z = y * p, g = p - y;
    switch (kind) {
      case Margin::hinge: return z <= parameter ? -y : 0.0;
      case Margin::squared_hinge: return z < 1.0 ? -2.0 * y * (1.0 - z) : 0.0;
      case Margin::modified_huber: return z >= 1.0 ? 0.0 : z >= -1.0 ? -2.0 * y * (1.0 - z) : -4.0 * y;
      case Margin::log_loss: return -y * expit(-z);
      case Margin::squared_error: return g;
      case Margin::huber: return g > parameter ? parameter : g < -parameter ? -parameter : g;
      case Margin::epsilon_insensitive: return g > parameter ? 1.0 : -g > parameter ? -1.0 : 0.0;
      case Margin::squared_epsilon_insensitive:
        return g > parameter ? 2.0 * (g - parameter) : -g > parameter ? 2.0 * (g + parameter) : 0.0;
    }
    return 0.0;
  }

  ValueAndSlope value_and_slope(double y, double p) const {
    if (kind != Margin::log_loss) return {value(y, p), slope(y, p)};
    const SoftplusExpit both = softplus_expit(-y * p);
    return {both.softplus, -y * both.expit};
  }
};

}  // namespace mlwright::loss
