// Minimax concave penalty: P(b) = strength |b| - b^2 / (2 gamma) up to |b| = gamma strength, constant beyond; gamma > 0. Large
// coefficients are not shrunk at all. Not convex.
// Reference: Zhang, Annals of Statistics 38 (2010), 894-942.
#pragma once

#include "mlwright/penalty/verbs.hpp"

namespace mlwright::penalty {

struct Mcp {
  static constexpr bool kConvex = false;
  double strength, gamma;

  double value(double b) const noexcept {
    const double size = std::min(std::fabs(b), gamma * strength);
    return size * (strength - 0.5 * size / gamma);
  }
  double prox(double v, double step) const noexcept {
    const double size = std::fabs(v), edge = gamma * strength;
    if (step >= gamma) return size > strength * std::sqrt(step * gamma) ? v : 0.0;  // concave inside: an end is best
    return size > edge ? v : soft_threshold(v, step * strength) / (1.0 - step / gamma);
  }
  // Concave up to the edge where step >= gamma: zero, or what is nearest to v.
  Minima minima(double v, double step) const noexcept {
    if (step >= gamma) return {0.0, v};
    const double only = prox(v, step);
    return {only, only};
  }
  Interval subdifferential(double b) const noexcept {
    if (b == 0.0) return {-strength, strength};
    const double slope = std::copysign(std::max(strength - std::fabs(b) / gamma, 0.0), b);
    return {slope, slope};
  }
  Piece piece(double b) const noexcept {
    const double edge = gamma * strength, size = std::fabs(b);
    Piece right = size < edge ? Piece{strength, -1.0 / gamma, 0.0, edge} : Piece{0.0, 0.0, edge, kInfinity};
    if (b < 0.0) right = {-right.slope, right.curvature, -right.high, -right.low};
    return right;
  }
};

}  // namespace mlwright::penalty
