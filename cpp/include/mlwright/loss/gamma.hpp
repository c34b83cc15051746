// Half the gamma deviance: l(y, eta) = eta + y exp(-eta), log link; y > 0. Dropped: -log y - 1.
//
// Gradient 1 - y / mu and Hessian y / mu with mu = exp(eta).
#pragma once

#include <cmath>

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

struct Gamma {
  static constexpr Link kLink = Link::log;
  static constexpr Best kBest = Best::link_of_mean;
  static constexpr bool kConvex = true, kConstantHessian = false, kRenewsLeaves = false;

  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V eta) const { return eta + y * M::exp(-eta); }
  template <class M, class V>
  MLWRIGHT_VERB GradHess<V> grad_hess(V y, V eta) const {
    const V ratio = y * M::exp(-eta);
    return {1.0 - ratio, ratio};
  }
  static double mean(double eta) { return mlwright::exp(eta); }
  static double link(double mu) { return mlwright::log(mu); }
  static bool in_domain(double y) { return std::isfinite(y) && y > 0; }
};

}  // namespace mlwright::loss
