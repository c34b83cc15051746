// The lasso's penalty, P(b) = strength |b|, strength >= 0. Convex.
// Reference: Tibshirani, Journal of the Royal Statistical Society B 58 (1996), 267-288.
#pragma once

#include "mlwright/penalty/verbs.hpp"

namespace mlwright::penalty {

struct L1 {
  static constexpr bool kConvex = true;
  static constexpr double kRounding = 1.0 + 1e-15;  // a dual point scaled onto the edge of the domain may round past it
  double strength;

  double value(double b) const noexcept { return strength * std::fabs(b); }
  double prox(double v, double step) const noexcept { return soft_threshold(v, step * strength); }
  Interval subdifferential(double b) const noexcept {
    return {b > 0.0 ? strength : -strength, b < 0.0 ? -strength : strength};
  }
  Piece piece(double b) const noexcept {
    if (strength == 0.0) return {0.0, 0.0, -kInfinity, kInfinity};
    return b > 0.0 ? Piece{strength, 0.0, 0.0, kInfinity} : b < 0.0 ? Piece{-strength, 0.0, -kInfinity, 0.0} : Piece{};
  }
  double maximiser(double u) const noexcept {
    return std::fabs(u) <= strength * kRounding ? 0.0 : std::copysign(kInfinity, u);
  }
  double conjugate(double u) const noexcept { return std::fabs(u) <= strength * kRounding ? 0.0 : kInfinity; }
  double dual_scale(double u, double) const noexcept {
    const double size = std::fabs(u);
    return size <= strength ? 1.0 : strength / size;
  }
};

}  // namespace mlwright::penalty
