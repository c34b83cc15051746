// Half squared error: l(y, eta) = (y - eta)^2 / 2, identity link; y any finite number. Hessian 1. No constant dropped.
#pragma once

#include <cmath>

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

struct Squared {
  static constexpr Link kLink = Link::identity;
  static constexpr Best kBest = Best::link_of_mean;
  static constexpr bool kConvex = true, kConstantHessian = true, kRenewsLeaves = false;

  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V eta) const { return (y - eta) * (y - eta) * 0.5; }
  template <class M, class V>
  MLWRIGHT_VERB GradHess<V> grad_hess(V y, V eta) const { return {eta - y, V{} + 1.0}; }
  static double mean(double eta) { return eta; }
  static double link(double mu) { return mu; }
  static bool in_domain(double y) { return std::isfinite(y); }
};

}  // namespace mlwright::loss
