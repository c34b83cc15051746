// Half the Poisson deviance: l(y, eta) = exp(eta) - y eta, log link; y >= 0. Dropped: y log y - y.
//
// Gradient mu - y and Hessian mu with mu = exp(eta).
#pragma once

#include <cmath>

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

struct Poisson {
  static constexpr Link kLink = Link::log;
  static constexpr Best kBest = Best::link_of_mean;
  static constexpr bool kConvex = true, kConstantHessian = false, kRenewsLeaves = false;

  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V eta) const { return M::exp(eta) - y * eta; }
  template <class M, class V>
  MLWRIGHT_VERB GradHess<V> grad_hess(V y, V eta) const {
    const V mu = M::exp(eta);
    return {mu - y, mu};
  }
  static double mean(double eta) { return mlwright::exp(eta); }
  static double link(double mu) { return mlwright::log(mu); }
  static bool in_domain(double y) { return std::isfinite(y) && y >= 0; }
};

}  // namespace mlwright::loss
