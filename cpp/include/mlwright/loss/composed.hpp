// Any exponential family behind any link: the half deviance as a function of the mean, composed with mean = f(eta).
//
//   gradient (mu - y) mu' / V(mu), and Fisher's expected Hessian mu'^2 / V(mu), which is never negative where the true one
//   may be. Outside the mean's domain (identity or inverse link) the value is infinite: a line search turns back there.
// Dropped: terms of y alone.
// Reference: McCullagh and Nelder, Generalized Linear Models, 1989, sections 2.2-2.5.
#pragma once

#include <cmath>

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

inline constexpr double kOutside = __builtin_inf();

// ---- families: value(y, mu), variance(mu); `positive`: the mean must be above zero

struct NormalFamily {
  static constexpr bool kPositive = false;
  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V mu) const { return 0.5 * (y - mu) * (y - mu); }
  template <class M, class V>
  MLWRIGHT_VERB V variance(V mu) const { return V{} + 1.0 + 0.0 * mu; }
  static bool in_domain(double y) { return std::isfinite(y); }
};

struct PoissonFamily {
  static constexpr bool kPositive = true;
  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V mu) const { return mu - y * M::log(mu); }
  template <class M, class V>
  MLWRIGHT_VERB V variance(V mu) const { return mu; }
  static bool in_domain(double y) { return std::isfinite(y) && y >= 0; }
};

struct GammaFamily {
  static constexpr bool kPositive = true;
  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V mu) const { return M::log(mu) + y / mu; }
  template <class M, class V>
  MLWRIGHT_VERB V variance(V mu) const { return mu * mu; }
  static bool in_domain(double y) { return std::isfinite(y) && y > 0; }
};

struct InverseGaussianFamily {
  static constexpr bool kPositive = true;
  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V mu) const { return 0.5 * y / (mu * mu) - 1.0 / mu; }
  template <class M, class V>
  MLWRIGHT_VERB V variance(V mu) const { return mu * mu * mu; }
  static bool in_domain(double y) { return std::isfinite(y) && y > 0; }
};

// Power p: not 0, 1 or 2 (those are the families above) and not between 0 and 1.
struct TweedieFamily {
  static constexpr bool kPositive = true;
  double parameter;
  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V mu) const {
    const double a = 2.0 - parameter, b = 1.0 - parameter;
    const V log_mu = M::log(mu);
    return M::exp(log_mu * a) / a - y * (M::exp(log_mu * b) / b);
  }
  template <class M, class V>
  MLWRIGHT_VERB V variance(V mu) const { return M::exp(M::log(mu) * parameter); }
  static bool in_domain(double y) { return std::isfinite(y); }
};

// ---- links: the mean and its derivative in eta

template <class V>
struct Mean {
  V mu, slope;
};

struct IdentityLink {
  template <class M, class V>
  MLWRIGHT_VERB static Mean<V> mean(V eta) { return {eta, V{} + 1.0}; }
};
struct LogLink {
  template <class M, class V>
  MLWRIGHT_VERB static Mean<V> mean(V eta) {
    const V mu = M::exp(eta);
    return {mu, mu};
  }
};
struct InverseLink {
  template <class M, class V>
  MLWRIGHT_VERB static Mean<V> mean(V eta) { return {1.0 / eta, -1.0 / (eta * eta)}; }
};

struct InverseSquaredLink {
  template <class M, class V>
  MLWRIGHT_VERB static Mean<V> mean(V eta) {
    const V inside = M::select(eta > 0.0, eta, V{} + 1.0);
    const V mu = M::select(eta > 0.0, M::exp(-0.5 * M::log(inside)), V{} - 1.0);
    return {mu, -0.5 * (mu * mu * mu)};
  }
};

template <class Family, class LinkFunction>
struct Composed : Family {
  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V eta) const {
    const V mu = LinkFunction::template mean<M>(eta).mu;
    if constexpr (!Family::kPositive) return Family::template value<M>(y, mu);
    else return M::select(mu > 0.0, Family::template value<M>(y, M::select(mu > 0.0, mu, V{} + 1.0)), V{} + kOutside);
  }
  template <class M, class V>
  MLWRIGHT_VERB GradHess<V> grad_hess(V y, V eta) const {
    const Mean<V> m = LinkFunction::template mean<M>(eta);
    const V pull = m.slope / Family::template variance<M>(m.mu);
    return {(m.mu - y) * pull, m.slope * pull};
  }
};

}  // namespace mlwright::loss
