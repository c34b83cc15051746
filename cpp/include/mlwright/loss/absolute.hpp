// Absolute error: l(y, eta) = |y - eta|, identity link; y any finite number. No constant dropped.
//
// Gradient sign(eta - y), 0 at the kink, so that a score which meets its targets exactly is stationary. The Hessian is 0
// almost everywhere: 1 stands for it, and leaves are renewed by the weighted median of their residuals.
#pragma once

#include <cmath>

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

struct Absolute {
  static constexpr Link kLink = Link::identity;
  static constexpr Best kBest = Best::quantile;
  static constexpr bool kConvex = true, kConstantHessian = true, kRenewsLeaves = true;

  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V eta) const {
    const V r = y - eta;
    return M::select(r < 0.0, -r, r);
  }
  template <class M, class V>
  MLWRIGHT_VERB GradHess<V> grad_hess(V y, V eta) const {
    const V one = V{} + 1.0;
    return {M::select(eta > y, one, M::select(eta < y, -one, V{})), one};
  }
  static double level() { return 0.5; }
  static double mean(double eta) { return eta; }
  static double link(double mu) { return mu; }
  static bool in_domain(double y) { return std::isfinite(y); }
};

}  // namespace mlwright::loss
