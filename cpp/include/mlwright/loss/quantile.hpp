// Pinball loss of level a: l(y, eta) = a (y - eta) above eta, (1 - a) (eta - y) below; identity link; y any finite number;
// a in [0, 1]. No constant dropped; at a = 1/2 it is half the absolute error.
//
// Gradient -a where y > eta, 1 - a where y < eta, 0 at the kink. The Hessian is 0 almost everywhere: 1 stands for it, and
// leaves are renewed by the weighted a-quantile of their residuals.
// Reference: Koenker and Bassett, Econometrica 46 (1978), 33-50.
#pragma once

#include <cmath>

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

struct Quantile {
  static constexpr Link kLink = Link::identity;
  static constexpr Best kBest = Best::quantile;
  static constexpr bool kConvex = true, kConstantHessian = true, kRenewsLeaves = true;
  double parameter;

  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V eta) const {
    const V r = y - eta;
    return r * M::select(r < 0.0, V{} + (parameter - 1.0), V{} + parameter);
  }
  template <class M, class V>
  MLWRIGHT_VERB GradHess<V> grad_hess(V y, V eta) const {
    return {M::select(eta > y, V{} + (1.0 - parameter), M::select(eta < y, V{} - parameter, V{})), V{} + 1.0};
  }
  double level() const { return parameter; }
  static double mean(double eta) { return eta; }
  static double link(double mu) { return mu; }
  static bool in_domain(double y) { return std::isfinite(y); }
};

}  // namespace mlwright::loss
