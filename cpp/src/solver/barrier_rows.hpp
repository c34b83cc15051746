// The rows of a quantile regression inside their bounds: residual r = u - v with u, v > 0, and the dual variable a between
// level - 1 and level, kept as its distances s = level - a and t = a - (level - 1), since either may become tiny.
//
// Complementarity is u s = mu and v t = mu for every row of weight one. With 1 / theta = u / s + v / t, steps along z b are
//   da = theta (r - z db - mu (1/s - 1/t) - second order),  du = (mu - u s + second + u da) / s,  dv = (mu - v t - ...) / t.
// Each verb works on rows [begin, end) and writes to those only.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "mlwright/base/view.hpp"

namespace mlwright::solver {

inline constexpr index_t kSums = 4;  // gap, and its parts linear in the primal step, the dual step, and both

struct Reach {  // how far until a variable is zero
  double primal = std::numeric_limits<double>::infinity(), dual = std::numeric_limits<double>::infinity();
};
inline Reach shorter(const Reach& a, const Reach& b) {
  return {std::min(a.primal, b.primal), std::min(a.dual, b.dual)};
}

class BarrierRows {
 public:
  using Vector = std::vector<double>;

  BarrierRows(index_t n, double level) : n_(n), level_(level) {
    for (Vector* v : {&w, &r, &u, &v_, &s, &t, &q, &along, &da_, &du_, &dv_, &centring, &second_order, &weighted_dual})
      v->assign(static_cast<std::size_t>(n), 0.0);
    std::fill(s.begin(), s.end(), level);
    std::fill(t.begin(), t.end(), 1.0 - level);
  }

  Vector w, r, along;      // weight, residual, z times the step
  Vector q;                // w theta
  Vector centring, second_order, weighted_dual;  // factors of z whose sums the corrector needs

  double total_weight() const { return sum([&](std::size_t i) { return w[i]; }); }
  double absolute() const { return sum([&](std::size_t i) { return w[i] * std::fabs(r[i]); }); }
  double objective() const { return sum([&](std::size_t i) { return w[i] * (level_ * u[i] + (1.0 - level_) * v_[i]); }); }
  double gap() const { return sum([&](std::size_t i) { return w[i] * (u[i] * s[i] + v_[i] * t[i]); }); }

  // For rows that are unit vectors: z times the step is the step.
  void follow(const Vector& step) { std::copy_n(step.begin(), n_, along.begin()); }
  void shift_residual(index_t begin, index_t end, double length) {
    for (index_t i = begin; i < end; ++i) r[at(i)] -= length * along[at(i)];
  }
  void split(double away) {
    for (std::size_t i = 0; i < r.size(); ++i) {
      u[i] = std::max(r[i], 0.0) + away;
      v_[i] = u[i] - r[i];
    }
  }
  void set_theta() {
    for (std::size_t i = 0; i < r.size(); ++i) q[i] = w[i] * (s[i] * t[i] / (u[i] * t[i] + v_[i] * s[i]));
  }

  // The step towards mu = 0: what it leaves of the gap, and what it says about curvature.
  void predict(index_t begin, index_t end, double* sums) {
    double part[kSums] = {0.0, 0.0, 0.0, 0.0};
    for (index_t k = begin; k < end; ++k) {
      const std::size_t i = at(k);
      const double theta_w = q[i], inverse_s = 1.0 / s[i], inverse_t = 1.0 / t[i];
      const double da = theta_w / w[i] * (r[i] - along[i]);
      const double du = u[i] * (da * inverse_s - 1.0), dv = -v_[i] * (da * inverse_t + 1.0);
      part[0] += w[i] * (u[i] * s[i] + v_[i] * t[i]);
      part[1] += w[i] * (du * s[i] + dv * t[i]);
      part[2] += w[i] * da * (v_[i] - u[i]);
      part[3] += w[i] * da * (dv - du);
      centring[i] = theta_w * (inverse_s - inverse_t);
      second_order[i] = theta_w * da * (du * inverse_s + dv * inverse_t);
      weighted_dual[i] = w[i] * dual_of(i);
      da_[i] = da;
      du_[i] = du;
      dv_[i] = dv;
    }
    for (index_t k = 0; k < kSums; ++k) sums[k] += part[k];
  }

  void correct(index_t begin, index_t end, double mu) {
    for (index_t k = begin; k < end; ++k) {
      const std::size_t i = at(k);
      const double first = da_[i];
      const double da = (q[i] * (r[i] - along[i]) - mu * centring[i] - second_order[i]) / w[i];
      du_[i] = (mu + du_[i] * first + u[i] * da) / s[i] - u[i];
      dv_[i] = (mu - dv_[i] * first - v_[i] * da) / t[i] - v_[i];
      da_[i] = da;
    }
  }

  Reach reach() const {
    double primal = 0.0, dual = 0.0;  // the largest share of a variable that a whole step would take away
    for (std::size_t i = 0; i < r.size(); ++i) {
      primal = std::max(primal, std::max(-du_[i] / u[i], -dv_[i] / v_[i]));
      dual = std::max(dual, std::max(da_[i] / s[i], -da_[i] / t[i]));
    }
    return {1.0 / primal, 1.0 / dual};
  }

  void take(index_t begin, index_t end, double primal, double dual) {
    for (index_t k = begin; k < end; ++k) {
      const std::size_t i = at(k);
      u[i] += primal * du_[i];
      v_[i] += primal * dv_[i];
      r[i] -= primal * along[i];
      s[i] -= dual * da_[i];
      t[i] += dual * da_[i];
    }
  }

  Vector dual() const {
    Vector a(r.size());
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = dual_of(i);
    return a;
  }

 private:
  static std::size_t at(index_t i) { return static_cast<std::size_t>(i); }
  double dual_of(std::size_t i) const { return s[i] < t[i] ? level_ - s[i] : t[i] - (1.0 - level_); }
  template <class Term>
  double sum(Term&& term) const {  // in four strands, for speed; the order is that of the rows whatever the threads
    double part[4] = {0.0, 0.0, 0.0, 0.0};
    std::size_t i = 0;
    for (; i + 4 <= r.size(); i += 4)
      for (std::size_t k = 0; k < 4; ++k) part[k] += term(i + k);
    for (; i < r.size(); ++i) part[0] += term(i);
    return (part[0] + part[1]) + (part[2] + part[3]);
  }

  index_t n_;
  double level_;
  Vector u, v_, s, t, da_, du_, dv_;
};

}  // namespace mlwright::solver
