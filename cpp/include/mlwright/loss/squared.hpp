// Half squared error: l(y, eta) = (y - eta)^2 / 2, identity link; y any finite number. Hessian 1.
//
// The verbs of a loss on one observation, on a double or on a vector of them (V): pure, no allocation, no exceptions.
#pragma once

#include <cmath>

namespace mlwright::loss {

struct Squared {
  static constexpr bool kConvex = true;
  static constexpr bool kConstantHessian = true;
  static constexpr int kOutputs = 1;

  template <class V>
  [[gnu::always_inline]] static V value(V y, V eta) { return (y - eta) * (y - eta) * 0.5; }
  template <class V>
  [[gnu::always_inline]] static V grad(V y, V eta) { return eta - y; }
  static double mean(double eta) { return eta; }
  static double link(double mu) { return mu; }
  static bool in_domain(double y) { return std::isfinite(y); }
  // The eta that minimises the weighted loss of targets with this weighted mean.
  static double optimal_constant(double mean_y) { return mean_y; }
};

}  // namespace mlwright::loss
