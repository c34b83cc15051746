// Elastic net, P(b) = l1 |b| + l2 b^2 / 2, both strengths >= 0: the lasso's penalty where l2 is zero, ridge's where l1 is, none
// where both are. Convex.
// Reference: Zou and Hastie, Journal of the Royal Statistical Society B 67 (2005), 301-320.
#pragma once

#include "mlwright/penalty/l1.hpp"

namespace mlwright::penalty {

struct ElasticNet {
  static constexpr bool kConvex = true;
  double l1, l2;

  double value(double b) const noexcept { return l1 * std::fabs(b) + 0.5 * l2 * b * b; }
  double prox(double v, double step) const noexcept { return soft_threshold(v, step * l1) / (1.0 + step * l2); }
  Interval subdifferential(double b) const noexcept {
    const Interval slopes = L1{l1}.subdifferential(b);
    return {slopes.low + l2 * b, slopes.high + l2 * b};
  }
  Piece piece(double b) const noexcept {
    const Piece of_l1 = L1{l1}.piece(b);
    return {of_l1.slope, l2, of_l1.low, of_l1.high};
  }
  // Where u b - P(b) is largest; infinite where it has no bound.
  double maximiser(double u) const noexcept {
    return l2 > 0.0 ? soft_threshold(u, l1) / l2 : L1{l1}.maximiser(u);
  }
  double conjugate(double u) const noexcept {
    if (!(l2 > 0.0)) return L1{l1}.conjugate(u);
    const double beyond = std::max(std::fabs(u) - l1, 0.0);
    return 0.5 * beyond * beyond / l2;
  }
  // As if l2 b^2 / 2 were rows added to the data: u - l2 b is what |.| has to balance.
  double dual_scale(double u, double b) const noexcept { return L1{l1}.dual_scale(u - l2 * b, b); }
};

}  // namespace mlwright::penalty
