// Huber's loss of threshold d > 0: with r = y - eta, l = r^2 / 2 where |r| <= d, else d (|r| - d / 2); identity link; y any
// finite number. No constant dropped.
//
// Gradient -r clipped to [-d, d]. The Hessian is 1 inside and 0 outside: its bound 1 is taken, and leaves are renewed by
// the best constant of their residuals.
// Reference: Huber, Annals of Mathematical Statistics 35 (1964), 73-101.
#pragma once

#include <cmath>

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

struct Huber {
  static constexpr Link kLink = Link::identity;
  static constexpr Best kBest = Best::root;
  static constexpr bool kConvex = true, kConstantHessian = true, kRenewsLeaves = true;
  double parameter;

  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V eta) const {
    const V r = y - eta, size = M::select(r < 0.0, -r, r);
    return M::select(size > parameter, (size - 0.5 * parameter) * parameter, r * r * 0.5);
  }
  template <class M, class V>
  MLWRIGHT_VERB GradHess<V> grad_hess(V y, V eta) const {
    const V d = V{} + parameter, g = eta - y;
    return {M::select(g > d, d, M::select(g < -d, -d, g)), V{} + 1.0};
  }
  // The second derivative itself, which Newton steps to the best constant of a set need.
  double curvature(double y, double eta) const { return std::abs(y - eta) < parameter ? 1.0 : 0.0; }
  // The sum of gradients has kinks at y - reach and y + reach, and may be zero all the way between two of them.
  double reach() const { return parameter; }
  static double mean(double eta) { return eta; }
  static double link(double mu) { return mu; }
  static bool in_domain(double y) { return std::isfinite(y); }
};

}  // namespace mlwright::loss
