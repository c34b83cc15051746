// Log loss of a binary outcome behind links other than the logit; y in [0, 1]; no constant dropped.
//
//   Probit    mu = Phi(eta): l = -y log Phi(eta) - (1 - y) log Phi(-eta); exact Hessian, positive since Phi is log-concave.
//   Cloglog   mu = 1 - exp(-exp(eta)): l = (1 - y) exp(eta) - y log(1 - exp(-exp(eta))); exact Hessian, convex.
// Reference: McCullagh and Nelder, Generalized Linear Models, 1989, section 4.3.
#pragma once

#include "mlwright/loss/normal_tail.hpp"
#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

struct Probit {
  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V eta) const {
    return -y * normal_tail<M>(eta).log_cdf - (1.0 - y) * normal_tail<M>(-eta).log_cdf;
  }
  template <class M, class V>
  MLWRIGHT_VERB GradHess<V> grad_hess(V y, V eta) const {
    const V up = normal_tail<M>(eta).mills, down = normal_tail<M>(-eta).mills;
    const V bend_up = up * (eta + up), bend_down = down * (down - eta);
    return {(1.0 - y) * down - y * up, positive<M>(y * positive<M>(bend_up) + (1.0 - y) * positive<M>(bend_down))};
  }
  static bool in_domain(double y) { return y >= 0 && y <= 1; }

 private:
  template <class M, class V>
  MLWRIGHT_VERB static V positive(V v) { return M::select(v > 0.0, v, V{} + 0.0); }  // rounding in the far tail
};

struct Cloglog {
  template <class M, class V>
  MLWRIGHT_VERB V value(V y, V eta) const {
    const V t = M::exp(eta);
    return (1.0 - y) * t - y * log_share<M>(eta, t);
  }
  template <class M, class V>
  MLWRIGHT_VERB GradHess<V> grad_hess(V y, V eta) const {
    const V t = M::exp(eta), e = M::exp(-t), gone = share<M>(t, e);
    const V ratio = M::select(t > 700.0, V{} + 0.0, t * e / gone);  // t / (exp(t) - 1)
    const V bend = ratio * M::select(t > 700.0, V{} + 0.0, t / gone - 1.0);
    return {(1.0 - y) * t - y * ratio, (1.0 - y) * t + y * M::select(bend > 0.0, bend, V{} + 0.0)};
  }
  static bool in_domain(double y) { return y >= 0 && y <= 1; }

 private:
  // 1 - exp(-t) without cancellation for small t, by its series.
  template <class M, class V>
  MLWRIGHT_VERB static V share(V t, V e) {
    const V series = t * (1.0 - t * (0.5 - t * (1.0 / 6.0 - t * (1.0 / 24.0 - t * (1.0 / 120.0 - t / 720.0)))));
    return M::select(t < 0.01, series, 1.0 - e);
  }
  template <class M, class V>
  MLWRIGHT_VERB static V log_share(V eta, V t) {
    const V inside = share<M>(t, M::exp(-t));
    return M::select(t < 1e-300, eta, M::log(M::select(inside > 0.0, inside, V{} + 1.0)));
  }
};

}  // namespace mlwright::loss
