// Log loss of a binary outcome: l(y, eta) = log(1 + exp(eta)) - y eta, logit link; y in [0, 1]. No constant dropped.
//
// grad = mu - y and Hessian = mu (1 - mu) with mu = 1 / (1 + exp(-eta)). The transcendental functions are the caller's
// (softplus(eta) and mu come as arguments), so that array kernels and scalar code use the same ones with the same bits.
#pragma once

#include <algorithm>

#include "mlwright/base/elementary.hpp"

namespace mlwright::loss {

struct Logistic {
  static constexpr bool kConvex = true;
  static constexpr bool kConstantHessian = false;
  static constexpr int kOutputs = 1;
  static constexpr double kSmallestShare = 2.220446049250313e-16;  // a class nobody is in still has a finite start

  template <class V>
  [[gnu::always_inline]] static V value(V y, V eta, V softplus_eta) { return softplus_eta - y * eta; }
  template <class V>
  [[gnu::always_inline]] static V grad(V y, V mu) { return mu - y; }
  template <class V>
  [[gnu::always_inline]] static V hess(V mu) { return mu * (1.0 - mu); }
  static double mean(double eta) { return expit(eta); }
  static double link(double mu) { return log(mu / (1 - mu)); }
  static bool in_domain(double y) { return y >= 0 && y <= 1; }
  static double optimal_constant(double mean_y) {
    return link(std::clamp(mean_y, kSmallestShare, 1 - kSmallestShare));
  }
};

}  // namespace mlwright::loss
