// Penalties of a block of coefficients: the group lasso, P(b) = strength ||b||, and the sparse group lasso,
// P(b) = strength ||b|| + sum_i l1_i |b_i|. Both convex. Blocks of one coefficient of several targets are the multi-task lasso.
// References: Yuan and Lin, Journal of the Royal Statistical Society B 68 (2006), 49-67.
// Simon, Friedman, Hastie and Tibshirani, Journal of Computational and Graphical Statistics 22 (2013), 231-245.
#pragma once

#include "mlwright/base/view.hpp"
#include "mlwright/penalty/verbs.hpp"

namespace mlwright::penalty {

inline double norm(const double* b, index_t n) noexcept {
  double sum = 0.0;
  for (index_t i = 0; i < n; ++i) sum += b[i] * b[i];
  return std::sqrt(sum);
}

struct Group {
  double strength;  // of the norm
  double ridge;     // adds ridge ||b||^2 / 2

  double value(const double* b, index_t n) const noexcept {
    const double size = norm(b, n);
    return size * (strength + 0.5 * ridge * size);
  }
  void prox(double* v, index_t n, double step) const noexcept {
    const double size = norm(v, n), threshold = step * strength;
    const double factor = size > threshold ? (1.0 - threshold / size) / (1.0 + step * ridge) : 0.0;
    for (index_t i = 0; i < n; ++i) v[i] *= factor;
  }
  // Of minus the gradient g of the smooth part to the subdifferential.
  double subdiff_distance(const double* b, const double* g, index_t n) const noexcept {
    const double size = norm(b, n);
    if (size == 0.0) return std::max(norm(g, n) - strength, 0.0);
    double sum = 0.0;
    for (index_t i = 0; i < n; ++i) {
      const double slope = g[i] + b[i] * (strength / size + ridge);
      sum += slope * slope;
    }
    return std::sqrt(sum);
  }
};

// l1[i] is the strength of |b_i|. The prox is that of the norm after that of the absolute values (Friedman et al. 2010).
struct SparseGroup {
  Group group;
  const double* l1;

  double value(const double* b, index_t n) const noexcept {
    double sum = group.value(b, n);
    for (index_t i = 0; i < n; ++i) sum += l1[i] * std::fabs(b[i]);
    return sum;
  }
  void prox(double* v, index_t n, double step) const noexcept {
    for (index_t i = 0; i < n; ++i) v[i] = soft_threshold(v[i], step * l1[i]);
    group.prox(v, n, step);
  }
  double subdiff_distance(const double* b, const double* g, index_t n) const noexcept {
    const double size = norm(b, n);
    double sum = 0.0;
    for (index_t i = 0; i < n; ++i) {
      const double slope = size == 0.0 ? g[i] : g[i] + b[i] * (group.strength / size + group.ridge);
      const double distance = b[i] == 0.0 ? soft_threshold(slope, l1[i]) : slope + std::copysign(l1[i], b[i]);
      sum += distance * distance;
    }
    return size == 0.0 ? std::max(std::sqrt(sum) - group.strength, 0.0) : std::sqrt(sum);
  }
};

}  // namespace mlwright::penalty
