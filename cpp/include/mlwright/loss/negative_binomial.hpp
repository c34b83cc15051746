// Negative binomial counts of variance mu + alpha mu^2 (NB2), log link; y >= 0; the parameter is alpha > 0. With
// theta = 1 / alpha: l(y, eta) = (y + theta) log(1 + alpha exp(eta)) - y eta. Dropped: the terms of y and alpha alone.
//
// With p = alpha mu / (1 + alpha mu): gradient (y + theta) p - y, Hessian (y + theta) p (1 - p); convex in eta.
// Reference: Cameron and Trivedi, Regression Analysis of Count Data, 2013, section 3.3.
#pragma once

#include <cmath>

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

struct NegativeBinomial {
  double parameter;

  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V eta) const {
    return (y + 1.0 / parameter) * M::softplus(eta + shift<M>()) - y * eta;
  }
  template <class M, class V>
  MLWRIGHT_VERB GradHess<V> grad_hess(V y, V eta) const {
    const V p = M::expit(eta + shift<M>()), size = y + 1.0 / parameter;
    return {size * p - y, size * p * (1.0 - p)};
  }
  static bool in_domain(double y) { return std::isfinite(y) && y >= 0; }

 private:
  template <class M>
  MLWRIGHT_VERB double shift() const { return M::log(parameter); }
};

}  // namespace mlwright::loss
