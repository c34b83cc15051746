// Smoothly clipped absolute deviation: slope `strength` up to |b| = strength, then falling to zero at gamma strength, constant
// beyond; gamma > 1. Not convex.
// Reference: Fan and Li, Journal of the American Statistical Association 96 (2001), 1348-1360.
#pragma once

#include "mlwright/penalty/verbs.hpp"

namespace mlwright::penalty {

struct Scad {
  static constexpr bool kConvex = false;
  double strength, gamma;

  double value(double b) const noexcept {
    const double size = std::fabs(b);
    if (size <= strength) return strength * size;
    if (size >= gamma * strength) return 0.5 * strength * strength * (gamma + 1.0);
    return (gamma * strength * size - 0.5 * (size * size + strength * strength)) / (gamma - 1.0);
  }
  double prox(double v, double step) const noexcept {
    const double size = std::fabs(v), edge = gamma * strength;
    if (step >= gamma - 1.0) return better_end(v, step);  // concave between: one of the ends is best
    if (size > edge) return v;
    if (size <= strength * (1.0 + step)) return soft_threshold(v, step * strength);
    return std::copysign(((gamma - 1.0) * size - step * edge) / (gamma - 1.0 - step), v);
  }
  // Concave between strength and edge where step >= gamma - 1: the minimum up to strength, or what is nearest to v.
  Minima minima(double v, double step) const noexcept {
    if (step >= gamma - 1.0) return {near_end(v, step), v};
    const double only = prox(v, step);
    return {only, only};
  }
  Interval subdifferential(double b) const noexcept {
    if (b == 0.0) return {-strength, strength};
    const double size = std::fabs(b);
    const double slope = size <= strength ? strength : std::max(gamma * strength - size, 0.0) / (gamma - 1.0);
    return {std::copysign(slope, b), std::copysign(slope, b)};
  }
  Piece piece(double b) const noexcept {
    const double size = std::fabs(b), edge = gamma * strength;
    Piece right{strength, 0.0, 0.0, strength};
    if (size > strength) right = {edge / (gamma - 1.0), -1.0 / (gamma - 1.0), strength, edge};
    if (size >= edge) right = {0.0, 0.0, edge, kInfinity};
    if (b < 0.0) right = {-right.slope, right.curvature, -right.high, -right.low};
    return right;
  }

 private:
  double near_end(double v, double step) const noexcept {
    return std::clamp(soft_threshold(v, step * strength), -strength, strength);
  }
  double better_end(double v, double step) const noexcept {
    const double near = near_end(v, step);
    if (std::fabs(v) < gamma * strength) return near;
    return 0.5 * (near - v) * (near - v) + step * value(near) <= step * value(v) ? near : v;
  }
};

}  // namespace mlwright::penalty
