// The words that every penalty of this folder is written in.
//
// A penalty of one coefficient is a struct of its strengths and these verbs, pure, without allocation, threads or exceptions:
//   value(b)            P(b)
//   prox(v, step)       argmin_b (b - v)^2 / 2 + step P(b); step > 0
//   subdifferential(b)  the interval of slopes at b (Clarke's where P is not convex)
//   piece(b)            P'(b') = slope + curvature b' for every b' of (low, high), an interval that holds b
// and where it is convex (kConvex), for certificates by duality,
//   conjugate(u)        sup_b u b - P(b); infinite outside its domain
//   dual_scale(u, b)    the largest s in [0, 1] for which s u, u a correlation with the residual at b, is a good dual point
// where it is not, for bounds,
//   minima(v, step)     two numbers of which prox is one, and the minimiser within any interval around 0 the projection of one
// From these, subdiff_distance(penalty, b, g) is how far minus the gradient g of the smooth part is from the subdifferential:
// zero at, and only at, stationary points.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace mlwright::penalty {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Interval {
  double low, high;
};

struct Piece {
  double slope, curvature, low, high;
};

struct Minima {
  double near, far;  // of zero; the same where there is one minimum
};

inline double soft_threshold(double v, double threshold) noexcept {
  return v > threshold ? v - threshold : v < -threshold ? v + threshold : 0.0;
}

template <class Penalty>
double subdiff_distance(const Penalty& penalty, double b, double g) noexcept {
  const Interval slopes = penalty.subdifferential(b);
  return std::max({0.0, slopes.low + g, -g - slopes.high});
}

}  // namespace mlwright::penalty
