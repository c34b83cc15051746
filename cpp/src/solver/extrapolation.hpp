// Anderson extrapolation of the iterates of a descent on a quadratic. A descent's copy of them; not thread-safe.
// Reference: Bertrand and Massias (2021), Anderson acceleration of coordinate descent, AISTATS.
#pragma once

#include <cmath>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/linalg/small_cholesky.hpp"

namespace mlwright::solver {

class Extrapolation {
 public:
  void forget() { history_.clear(); }

  // Keeps an iterate and its gradient. With enough of them `jump` becomes their extrapolation, first of the one, then of the
  // other, and they are forgotten; false where there is none.
  bool operator()(const double* b, const double* gradient, index_t size, std::vector<double>& jump) {
    history_.emplace_back(b, b + size);
    history_.back().insert(history_.back().end(), gradient, gradient + size);
    if (static_cast<index_t>(history_.size()) <= kHistory) return false;
    const bool there_is_one = extrapolate(size, jump);
    forget();
    return there_is_one;
  }

 private:
  static constexpr index_t kHistory = 5;  // steps of which the last ones all but cancel

  static std::size_t at(index_t i) { return static_cast<std::size_t>(i); }

  // Both are linear in the iterates: sum_i c_i (b_i, gradient_i), sum c = 1.
  bool extrapolate(index_t size, std::vector<double>& jump) const {
    double c[kHistory];
    if (!weights(size, c)) return false;
    double sum = 0.0;
    for (const double weight : c) sum += weight;
    if (sum == 0.0 || !std::isfinite(sum)) return false;
    jump.assign(at(2 * size), 0.0);
    for (index_t i = 0; i < kHistory; ++i)
      for (index_t e = 0; e < 2 * size; ++e) jump[at(e)] += c[i] / sum * history_[at(i + 1)][at(e)];
    return true;
  }

  // Of the steps, up to a factor: those of which the weighted sum is shortest.
  bool weights(index_t size, double* c) const {
    double products[kHistory * kHistory], trace = 0.0;
    for (index_t i = 0; i < kHistory; ++i)
      for (index_t j = 0; j <= i; ++j) {
        double sum = 0.0;
        for (index_t e = 0; e < size; ++e) sum += step(i, e) * step(j, e);
        products[i * kHistory + j] = products[j * kHistory + i] = sum;
        if (i == j) trace += sum;
      }
    if (!(trace > 0.0)) return false;
    for (index_t i = 0; i < kHistory; ++i) {
      products[i * kHistory + i] += 1e-13 * trace;
      c[i] = 1.0;
    }
    if (!linalg::small_cholesky(products, kHistory, 1e-15)) return false;
    linalg::small_cholesky_solve(products, kHistory, c);
    return true;
  }

  double step(index_t i, index_t e) const { return history_[at(i + 1)][at(e)] - history_[at(i)][at(e)]; }

  std::vector<std::vector<double>> history_;  // iterates, each with its gradient
};

}  // namespace mlwright::solver
