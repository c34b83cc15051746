// Cholesky factor of a positive semidefinite matrix; columns that depend on earlier ones are left out and solve to zero.
//
// A pivot below `tolerance` times its diagonal element is such a column: what is left of it is rounding. Own code since
// interior point matrices come close to singular at the end, where LAPACK would give up, and since the bits of a threaded
// LAPACK may depend on its threads. Cost: q^3 / 3 multiply-adds.
#pragma once

#include <cmath>
#include <vector>

#include "mlwright/base/view.hpp"

namespace mlwright::solver {

class DependentCholesky {
 public:
  explicit DependentCholesky(index_t q) : q_(q), lower_(static_cast<std::size_t>(q * q)), kept_(static_cast<std::size_t>(q), true) {}

  double& at(index_t i, index_t j) { return lower_[static_cast<std::size_t>(i * q_ + j)]; }
  bool kept(index_t j) const { return kept_[static_cast<std::size_t>(j)]; }

  // Factors what at() was given, its lower half. A column once left out by forget = false stays out.
  void factor(double tolerance, bool forget) {
    for (index_t j = 0; j < q_; ++j) {
      double* row = &at(j, 0);
      const double whole = row[j];
      for (index_t k = 0; k < j; ++k) row[k] = (row[k] - dot(row, &at(k, 0), k)) * inverse(k);
      const double pivot = whole - dot(row, row, j);
      const bool usable = (forget || kept(j)) && pivot > tolerance * whole;
      if (forget) kept_[static_cast<std::size_t>(j)] = usable;
      row[j] = usable ? std::sqrt(pivot) : 0.0;
    }
  }

  void solve(double* x) const {
    for (index_t i = 0; i < q_; ++i) x[i] = (x[i] - dot(row_of(i), x, i)) * inverse(i);
    for (index_t i = q_ - 1; i >= 0; --i) {
      x[i] *= inverse(i);
      const double* row = row_of(i);
      for (index_t k = 0; k < i; ++k) x[k] -= row[k] * x[i];
    }
  }

 private:
  const double* row_of(index_t i) const { return lower_.data() + i * q_; }
  double inverse(index_t i) const {
    const double d = row_of(i)[i];
    return d > 0.0 ? 1.0 / d : 0.0;
  }
  static double dot(const double* a, const double* b, index_t n) {
    double sum[4] = {0.0, 0.0, 0.0, 0.0};
    index_t i = 0;
    for (; i + 4 <= n; i += 4)
      for (int k = 0; k < 4; ++k) sum[k] += a[i + k] * b[i + k];
    for (; i < n; ++i) sum[0] += a[i] * b[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }

  index_t q_;
  std::vector<double> lower_;
  std::vector<bool> kept_;
};

}  // namespace mlwright::solver
