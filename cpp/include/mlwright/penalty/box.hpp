// A penalty restricted to low <= b <= high, where low <= 0 <= high: P(b) inside, infinite outside. (0, infinity) keeps
// coefficients from being negative. Where P is convex, prox is the projection of the inner one's, since the objective has one
// variable; where it is not, the objective may have two minima, and the better of their projections is taken.
#pragma once

#include "mlwright/penalty/verbs.hpp"

namespace mlwright::penalty {

template <class Inner>
struct Box {
  static constexpr bool kConvex = Inner::kConvex;
  Inner inner;
  double low, high;

  double value(double b) const noexcept { return b < low || b > high ? kInfinity : inner.value(b); }
  double prox(double v, double step) const noexcept {
    if constexpr (kConvex) {
      return std::clamp(inner.prox(v, step), low, high);
    } else {
      const Minima minima = inner.minima(v, step);
      const double near = std::clamp(minima.near, low, high), far = std::clamp(minima.far, low, high);
      const auto objective = [&](double b) { return 0.5 * (b - v) * (b - v) + step * inner.value(b); };
      return objective(far) < objective(near) ? far : near;
    }
  }
  Interval subdifferential(double b) const noexcept {
    const Interval slopes = inner.subdifferential(b);
    return {b <= low ? -kInfinity : slopes.low, b >= high ? kInfinity : slopes.high};
  }
  Piece piece(double b) const noexcept {
    Piece piece = inner.piece(b);
    piece.low = std::max(piece.low, low);
    piece.high = std::min(piece.high, high);
    if (b <= low || b >= high) piece.low = piece.high = b;  // held by its bound
    return piece;
  }
  double conjugate(double u) const noexcept {
    const double b = std::clamp(inner.maximiser(u), low, high);
    return std::isinf(b) ? kInfinity : u * b - inner.value(b);
  }
  double dual_scale(double u, double b) const noexcept {
    const double free_end = u > 0.0 ? high : low;
    return std::isinf(free_end) ? inner.dual_scale(u, b) : 1.0;
  }
};

}  // namespace mlwright::penalty
