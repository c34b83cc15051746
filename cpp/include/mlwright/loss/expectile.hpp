// Asymmetric squared error of level a in (0, 1): l(y, eta) = a (y - eta)^2 above eta, (1 - a) (y - eta)^2 below; identity
// link; y any finite number. No constant dropped; at a = 1/2 it is half the squared error, the loss of squared.hpp.
//
// Gradient 2 c (eta - y) and Hessian 2 c with c = a where y > eta, else 1 - a.
// Reference: Newey and Powell, Econometrica 55 (1987), 819-847.
#pragma once

#include <cmath>

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

struct Expectile {
  static constexpr Link kLink = Link::identity;
  static constexpr Best kBest = Best::root;
  static constexpr bool kConvex = true, kConstantHessian = false, kRenewsLeaves = false;
  double parameter;

  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V eta) const {
    const V r = y - eta;
    return r * r * M::select(r > 0.0, V{} + parameter, V{} + (1.0 - parameter));
  }
  template <class M, class V>
  MLWRIGHT_VERB GradHess<V> grad_hess(V y, V eta) const {
    const V h = M::select(y > eta, V{} + 2.0 * parameter, V{} + 2.0 * (1.0 - parameter));
    return {(eta - y) * h, h};
  }
  double curvature(double y, double eta) const { return 2.0 * (y > eta ? parameter : 1.0 - parameter); }
  static double mean(double eta) { return eta; }
  static double link(double mu) { return mu; }
  static bool in_domain(double y) { return std::isfinite(y); }
};

}  // namespace mlwright::loss
