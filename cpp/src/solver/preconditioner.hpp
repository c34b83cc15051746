// A symmetric positive matrix near the Hessian of a linear model, and its inverse applied to every class at once.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "mlwright/linalg/cholesky.hpp"
#include "mlwright/solver/linear_objectives.hpp"

namespace mlwright::solver {

class Preconditioner {
 public:
  // curvature times the Gram matrix (or its diagonal) plus the penalty; the intercept, if any, comes first.
  Preconditioner(const LinearProblem& problem, double curvature, runtime::CancelToken& token)
      : p_(problem.x.cols()), first_(problem.intercept ? 1 : 0), diagonal_(static_cast<std::size_t>(p_ + first_)) {
    for (index_t r = 0; r < problem.x.rows(); ++r) weight_ += problem.w == nullptr ? 1.0 : problem.w[r];
    if (first_ == 1) diagonal_[0] = curvature * weight_;
    if (problem.squares.empty()) {
      form_gram(problem, curvature, weight_, token);
      return;
    }
    for (index_t j = 0; j < p_; ++j) {
      const auto at = static_cast<std::size_t>(j);
      diagonal_[at + static_cast<std::size_t>(first_)] = curvature * problem.squares[at] + problem.l2[at];
    }
  }

  // v: padded x width coefficients, then width intercepts.
  void apply(double* v, index_t padded, index_t width) const {
    std::vector<double> column(diagonal_.size());
    for (index_t k = 0; k < width; ++k) {
      if (first_ == 1) column[0] = v[padded * width + k];
      for (index_t j = 0; j < p_; ++j) column[static_cast<std::size_t>(j + first_)] = v[j * width + k];
      if (factor_.size() > 0) factor_.solve(column.data());
      else
        for (std::size_t i = 0; i < column.size(); ++i) column[i] = diagonal_[i] > 0.0 ? column[i] / diagonal_[i] : 0.0;
      if (first_ == 1) v[padded * width + k] = column[0];
      for (index_t j = 0; j < p_; ++j) v[j * width + k] = column[static_cast<std::size_t>(j + first_)];
    }
  }

  double weight() const { return weight_; }  // sum of the rows' weights
  double largest_violation(const double* gradient, index_t width) const {
    double most = 0.0;
    for (index_t j = 0; j < p_; ++j)
      for (index_t k = 0; k < width; ++k) {
        const double g = std::fabs(gradient[j * width + k]);
        if (g > 0.0) most = std::max(most, g / std::sqrt(diagonal_[static_cast<std::size_t>(j + first_)]));
      }
    return most;
  }

 private:
  static constexpr index_t kRowsAColumn = 8, kBlockRows = 128;

  void form_gram(const LinearProblem& problem, double curvature, double weight, runtime::CancelToken& token) {
    const index_t n = problem.x.rows(), padded = problem.x.padded(), m = p_ + first_;
    const index_t stride = std::max<index_t>(1, n / (kRowsAColumn * (p_ + 100)));
    std::vector<double> h(static_cast<std::size_t>(n), 0.0);
    double visited = 0.0;
    for (index_t r = 0; r < n; ++r)
      if (r / kBlockRows % stride == 0) visited += h[static_cast<std::size_t>(r)] = problem.w == nullptr ? 1.0 : problem.w[r];
    if (visited == 0.0) visited = weight;
    const std::vector<double> gram = problem.x.gram(h.data(), token);
    const std::vector<double> border = sums_of(problem.x, h);
    const double scale = curvature * weight / visited;
    std::vector<double> a(static_cast<std::size_t>(m * m), 0.0);
    for (index_t j = 0; j < p_; ++j) {
      double* row = a.data() + (j + first_) * m + first_;
      for (index_t k = j; k < p_; ++k) row[k] = scale * gram[static_cast<std::size_t>(j * padded + k)];
      row[j] += problem.l2[static_cast<std::size_t>(j)];
      diagonal_[static_cast<std::size_t>(j + first_)] = row[j];
      row[j] += kFloor * (row[j] + scale * visited);  // rows that the subsample has not seen
      if (first_ == 1) a[static_cast<std::size_t>(j + 1)] = scale * border[static_cast<std::size_t>(j)];
    }
    if (first_ == 1) a[0] = curvature * weight * (1.0 + kFloor);
    factor_ = linalg::Cholesky(a.data(), m, m, 1e-14, token);
  }

  static std::vector<double> sums_of(const linalg::RowBlocks& x, const std::vector<double>& h) {
    std::vector<double> sum(static_cast<std::size_t>(x.padded()), 0.0), scratch(static_cast<std::size_t>(x.scratch_size(0, false)), 0.0);
    double total = 0.0;
    for (index_t begin = 0; begin < x.rows(); begin += kBlockRows) {
      const index_t rows = std::min(kBlockRows, x.rows() - begin);
      const double* f = h.data() + begin;
      if (std::all_of(f, f + rows, [](double v) { return v == 0.0; })) continue;
      x.load(begin, rows, scratch.data());
      x.accumulate(begin, rows, scratch.data(), f, sum.data());
      for (index_t r = 0; r < rows; ++r) total += f[r];
    }
    x.settle(sum.data(), 0, &total);
    return sum;
  }

  static constexpr double kFloor = 1e-8;
  double weight_ = 0.0;
  index_t p_, first_;
  std::vector<double> diagonal_;
  linalg::Cholesky factor_;
};

}  // namespace mlwright::solver
