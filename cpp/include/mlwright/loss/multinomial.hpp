// Log loss of one of K classes: l(y, eta) = log(sum_k exp(eta_k)) - eta_y, softmax link (symmetric: K columns of eta).
//
// grad_k = mu_k - [y = k]; the Hessian is taken by its diagonal, mu_k (1 - mu_k), which is what one tree a class needs.
// Reference: Friedman, Hastie and Tibshirani, Annals of Statistics 28 (2000), 337-407.
#pragma once

#include <algorithm>

#include "mlwright/base/elementary.hpp"

namespace mlwright::loss {

struct Multinomial {
  static constexpr bool kConvex = true;
  static constexpr bool kConstantHessian = false;
  static constexpr double kSmallestShare = 2.220446049250313e-16;

  template <class V>
  [[gnu::always_inline]] static V grad(V is_class, V mu) { return mu - is_class; }
  template <class V>
  [[gnu::always_inline]] static V hess(V mu) { return mu * (1.0 - mu); }
  // One class's eta up to the constant that all classes share; callers centre them.
  static double optimal_constant(double share) { return log(std::clamp(share, kSmallestShare, 1 - kSmallestShare)); }
};

}  // namespace mlwright::loss
