// The linear system of a Newton step: Hessian and penalty of the intercept (first, where there is one) and the columns.
#pragma once

#include <cmath>

#include "mlwright/linalg/cholesky.hpp"
#include "mlwright/solver/newton.hpp"

namespace mlwright::solver {

class NewtonSystem {
 public:
  explicit NewtonSystem(const NewtonProblem& problem)
      : problem_(&problem), p_(problem.data.x.cols()), padded_(problem.data.x.padded()), first_(problem.intercept ? 1 : 0) {}

  bool ready() const { return factor_.size() > 0; }
  index_t rank() const { return factor_.rank() - first_; }

  // l2_share: the share of the rows that the sums are of.
  void set(const GlmSums& sums, double l2_share, runtime::CancelToken& token) {
    const index_t m = p_ + first_;
    std::vector<double> a(static_cast<std::size_t>(m * m), 0.0);
    if (first_ == 1) {
      a[0] = sums.total_h;
      for (index_t j = 0; j < p_; ++j) a[static_cast<std::size_t>(j + 1)] = sums.border[static_cast<std::size_t>(j)];
    }
    diagonal_.resize(static_cast<std::size_t>(p_));
    for (index_t j = 0; j < p_; ++j) {
      const double* row = sums.hessian.data() + j * padded_;
      double* to = a.data() + (j + first_) * m + first_;
      for (index_t k = j; k < p_; ++k) to[k] = row[k];
      to[j] += l2_share * problem_->l2[static_cast<std::size_t>(j)];
      diagonal_[static_cast<std::size_t>(j)] = to[j];
    }
    share_ = l2_share;
    factor_ = linalg::Cholesky(a.data(), m, m, kDependent * static_cast<double>(m), token);
  }

  // The step -H^-1 gradient for sums over `share` of the rows; returns the squared decrement.
  double step(const GlmSums& sums, const std::vector<double>& gradient, double share, std::vector<double>& d, double& d0) const {
    std::vector<double> b(static_cast<std::size_t>(p_ + first_));
    if (first_ == 1) b[0] = -sums.total_g;
    for (index_t j = 0; j < p_; ++j) b[static_cast<std::size_t>(j + first_)] = -gradient[static_cast<std::size_t>(j)];
    const std::vector<double> right = b;
    factor_.solve(b.data());
    double decrement = 0.0;
    const double scale = share_ / share;
    for (std::size_t i = 0; i < b.size(); ++i) decrement += (b[i] *= scale) * right[i];
    d.assign(static_cast<std::size_t>(padded_), 0.0);
    for (index_t j = 0; j < p_; ++j) d[static_cast<std::size_t>(j)] = b[static_cast<std::size_t>(j + first_)];
    d0 = first_ == 1 ? b[0] : 0.0;
    return decrement;
  }

  // The largest |gradient_j| / sqrt(hessian_jj): the root of twice what a coordinate alone would gain.
  double violation(const std::vector<double>& gradient, double share) const {
    double most = 0.0;
    for (index_t j = 0; j < p_; ++j) {
      const double g = std::fabs(gradient[static_cast<std::size_t>(j)]);
      if (g > 0.0) most = std::max(most, g / std::sqrt(diagonal_[static_cast<std::size_t>(j)] * share / share_));
    }
    return most;
  }

 private:
  static constexpr double kDependent = 1e-15;  // pivots below this share of the diagonal, a column, are rounding
  const NewtonProblem* problem_;
  index_t p_, padded_, first_;
  double share_ = 1.0;
  std::vector<double> diagonal_;
  linalg::Cholesky factor_;
};

}  // namespace mlwright::solver
