// How far coefficients are from optimal: duality gap and violation of the optimality conditions, from Gram-domain sums.
//
// With residual R = y - Xb and u = X'R = -gradient: any s in [0, 1] makes s R a dual point, and
//   gap(s) = R'R (1 + s^2) / 2 + P(b) - s y'R + sum_j P_j*(s u_j).
// s = 1 is right where every P_j* is finite there (ridge), else the largest s that the penalties allow (lasso).
// Reference: Duenner, Forte, Takac and Jaggi (2016), Primal-dual rates and certificates, ICML.
#pragma once

#include <algorithm>
#include <cmath>

#include "mlwright/base/view.hpp"
#include "mlwright/penalty/verbs.hpp"
#include "mlwright/solver/coordinate_descent.hpp"

namespace mlwright::solver {

struct Certificate {
  double objective, gap, violation;
};

inline bool is_enough(const Certificate& c, const Stop& stop) { return c.gap <= stop.gap || c.violation <= stop.violation; }

// What the coefficients that may move are solved to while `left` is left of the whole problem.
inline bool is_enough_for_now(const Certificate& c, const Certificate& left, const Stop& stop) {
  constexpr double kInner = 0.3;      // of the tolerance: in the end
  constexpr double kProgress = 0.05;  // of what is left: before
  return c.gap <= std::max(kInner * stop.gap, std::isinf(left.gap) ? 0.0 : kProgress * left.gap) ||
         c.violation <= std::max(kInner * stop.violation, kProgress * left.violation);
}

// Of n coefficients; `member` names their features, null where they are all.
template <class Penalty>
class Certifier {
 public:
  Certifier(const Penalty& penalty, const index_t* member, index_t n, const double* b, const double* gradient,
            const double* linear, double square)
      : penalty_(penalty), member_(member), n_(n), b_(b), g_(gradient) {
    for (index_t i = 0; i < n; ++i) {
      if (b[i] == 0.0) continue;
      quadratic_ += b[i] * (g_[i] + linear[i]);
      cross_ += b[i] * linear[i];
      value_ += at(i).value(b[i]);
    }
    square_ = square;
  }

  // inverse: 1 / G_jj, zero for columns without spread.
  Certificate operator()(const double* inverse) const {
    double violation = 0.0;
    for (index_t i = 0; i < n_; ++i) {
      const double distance = penalty::subdiff_distance(at(i), b_[i], g_[i]);
      if (distance > 0.0) violation = std::max(violation, distance * std::sqrt(inverse[i]));
    }
    return {0.5 * (quadratic_ + square_) - cross_ + value_, gap(), violation};
  }

 private:
  double gap() const {
    if constexpr (!Penalty::kConvex) {
      return penalty::kInfinity;
    } else {
      double scale = 1.0;
      for (index_t i = 0; i < n_; ++i) scale = std::min(scale, at(i).dual_scale(-g_[i], b_[i]));
      const double at_scale = gap_at(scale);
      return std::max(0.0, scale < 1.0 ? std::min(at_scale, gap_at(1.0)) : at_scale);
    }
  }
  double gap_at(double scale) const {
    double conjugates = 0.0;
    for (index_t i = 0; i < n_; ++i) {
      conjugates += at(i).conjugate(-scale * g_[i]);
      if (conjugates == penalty::kInfinity) return conjugates;
    }
    const double residual = square_ - 2.0 * cross_ + quadratic_;
    return 0.5 * residual * (1.0 + scale * scale) + value_ - scale * (square_ - cross_) + conjugates;
  }
  auto at(index_t i) const { return penalty_.at(member_ == nullptr ? i : member_[i]); }

  const Penalty& penalty_;
  const index_t* member_;
  index_t n_;
  const double *b_, *g_;
  double square_ = 0.0, quadratic_ = 0.0, cross_ = 0.0, value_ = 0.0;
};

}  // namespace mlwright::solver
