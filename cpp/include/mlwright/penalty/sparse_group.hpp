// Sparse group lasso with a ridge, on a block of n features of t coefficients each (feature i, target k at b[i t + k]):
//
//   P(b) = l1 sum_i weight_i |b_i|_1 + norm |b|_2 + ridge |b|_2^2 / 2,      all strengths >= 0. Convex.
//
// l1 = 0 is the group lasso, or the row of a multi-task lasso where n = 1; norm = 0 an elastic net. The verbs are those of
// penalty/verbs.hpp, of blocks. They neither allocate nor throw.
// Reference: Simon, Friedman, Hastie and Tibshirani (2013), A sparse-group lasso, JCGS 22.
#pragma once

#include <cmath>

#include "mlwright/base/view.hpp"
#include "mlwright/penalty/verbs.hpp"

namespace mlwright::penalty {

// Of entries that count: which of them do not, a penalty that composes this one says.
inline constexpr auto kEvery = [](index_t) { return true; };

struct SparseGroup {
  double l1, norm, ridge;
  const double* weight;  // of the block's features
  index_t n, t;

  index_t size() const noexcept { return n * t; }
  double weight_of(index_t e) const noexcept { return weight[e / t]; }

  double value(const double* b) const noexcept {
    double absolute = 0.0, squares = 0.0;
    for (index_t i = 0; i < n; ++i) {
      double row = 0.0;
      for (index_t k = 0; k < t; ++k) {
        row += std::fabs(b[i * t + k]);
        squares += b[i * t + k] * b[i * t + k];
      }
      absolute += weight[i] * row;
    }
    return l1 * absolute + norm * std::sqrt(squares) + 0.5 * ridge * squares;
  }

  // v becomes argmin_b |b - v|^2 / 2 + step P(b).
  void prox(double* v, double step) const noexcept {
    double squares = 0.0;
    for (index_t i = 0; i < n; ++i)
      for (index_t k = 0; k < t; ++k) {
        double& entry = v[i * t + k];
        entry = soft_threshold(entry, step * l1 * weight[i]);
        squares += entry * entry;
      }
    const double size = std::sqrt(squares), threshold = step * norm;
    const double factor = size > threshold ? (1.0 - threshold / size) / (1.0 + step * ridge) : 0.0;
    for (index_t i = 0; i < n * t; ++i) v[i] *= factor;
  }

  // Of -g, the gradient of the smooth part, to the subdifferential at b.
  double subdiff_distance(const double* b, const double* g) const noexcept {
    double squares = 0.0;
    for (index_t i = 0; i < n * t; ++i) squares += b[i] * b[i];
    if (squares == 0.0) return std::max(0.0, beyond(g, 1.0, kEvery));
    const double pull = ridge + norm / std::sqrt(squares);
    double sum = 0.0;
    for (index_t i = 0; i < n; ++i)
      for (index_t k = 0; k < t; ++k) {
        const double entry = b[i * t + k], slope = g[i * t + k] + pull * entry, edge = l1 * weight[i];
        const double off = entry == 0.0 ? std::max(std::fabs(slope) - edge, 0.0) : slope + std::copysign(edge, entry);
        sum += off * off;
      }
    return std::sqrt(sum);
  }

  // sup_b scale u'b - P(b); infinite outside its domain.
  double conjugate(const double* u, double scale) const noexcept {
    const double excess = std::max(0.0, beyond(u, scale, kEvery));
    if (excess == 0.0) return 0.0;
    return ridge > 0.0 ? 0.5 * excess * excess / ridge : kInfinity;
  }

  // The largest s up to `limit` for which s v is in the domain of the conjugate without the ridge.
  template <class Counts>
  double dual_scale(const double* v, double limit, const Counts& counts) const noexcept {
    if (beyond(v, limit, counts) <= 0.0) return limit;
    double low = 0.0, high = limit;
    if (l1 == 0.0) {  // one step gets there; what is left to bisect is rounding
      const double exact = norm / (norm + beyond(v, 1.0, counts));
      low = std::min(limit, exact * (1.0 - 1e-15));
      if (beyond(v, low, counts) > 0.0) low = 0.0;
      else return low;
    }
    for (int halving = 0; halving < 60; ++halving) {
      const double middle = 0.5 * (low + high);
      (beyond(v, middle, counts) <= 0.0 ? low : high) = middle;
    }
    return low;
  }

  // How far scale u, its entries shrunk by the l1 part, is outside the ball of the norm part; negative inside.
  template <class Counts>
  double beyond(const double* u, double scale, const Counts& counts) const noexcept {
    double squares = 0.0;
    for (index_t i = 0; i < n; ++i)
      for (index_t k = 0; k < t; ++k) {
        if (!counts(i * t + k)) continue;
        const double rest = std::max(std::fabs(scale * u[i * t + k]) - l1 * weight[i], 0.0);
        squares += rest * rest;
      }
    return std::sqrt(squares) - norm;
  }
};

}  // namespace mlwright::penalty
