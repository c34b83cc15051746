// Log loss of a binary outcome: l(y, eta) = log(1 + exp(eta)) - y eta, logit link; y in [0, 1]. No constant dropped.
//
// Gradient mu - y and Hessian mu (1 - mu) with mu = 1 / (1 + exp(-eta)).
#pragma once

#include <algorithm>

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

struct Logistic {
  static constexpr Link kLink = Link::logit;
  static constexpr Best kBest = Best::link_of_mean;
  static constexpr bool kConvex = true, kConstantHessian = false, kRenewsLeaves = false;
  static constexpr double kSmallestShare = 2.220446049250313e-16;  // a class nobody is in still has a finite score

  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V eta) const { return M::softplus(eta) - y * eta; }
  template <class M, class V>
  MLWRIGHT_VERB GradHess<V> grad_hess(V y, V eta) const {
    const V mu = M::expit(eta);
    return {mu - y, mu * (1.0 - mu)};
  }
  static double mean(double eta) { return mlwright::expit(eta); }
  static double link(double mu) {
    mu = std::clamp(mu, kSmallestShare, 1 - kSmallestShare);
    return mlwright::log(mu / (1 - mu));
  }
  static bool in_domain(double y) { return y >= 0 && y <= 1; }
};

}  // namespace mlwright::loss
