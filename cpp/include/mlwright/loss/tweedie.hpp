// Half the Tweedie deviance of power p in (1, 2), the compound Poisson-gamma law: l(y, eta) = exp((2 - p) eta) / (2 - p)
// - y exp((1 - p) eta) / (1 - p), log link; y >= 0. Dropped: y^(2 - p) / ((1 - p) (2 - p)).
//
// With mu = exp(eta): gradient mu^(2-p) - y mu^(1-p), Hessian (2 - p) mu^(2-p) - (1 - p) y mu^(1-p), a sum of positive
// terms. At p = 1 and 2 the formula has poles; its limits are poisson.hpp and gamma.hpp.
// Reference: Jorgensen, Journal of the Royal Statistical Society B 49 (1987), 127-162.
#pragma once

#include <cmath>

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

struct Tweedie {
  static constexpr Link kLink = Link::log;
  static constexpr Best kBest = Best::link_of_mean;
  static constexpr bool kConvex = true, kConstantHessian = false, kRenewsLeaves = false;
  double parameter;

  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V eta) const {
    const double a = 2.0 - parameter, b = 1.0 - parameter;
    return M::exp(eta * a) / a - y * (M::exp(eta * b) / b);
  }
  template <class M, class V>
  MLWRIGHT_VERB GradHess<V> grad_hess(V y, V eta) const {
    const double a = 2.0 - parameter, b = 1.0 - parameter;
    const V first = M::exp(eta * a), second = y * M::exp(eta * b);
    return {first - second, first * a - second * b};
  }
  static double mean(double eta) { return mlwright::exp(eta); }
  static double link(double mu) { return mlwright::log(mu); }
  static bool in_domain(double y) { return std::isfinite(y) && y >= 0; }
};

}  // namespace mlwright::loss
