// Linear quantile regression by a primal-dual interior point method.
//
//   minimise over b   sum_i w_i rho(y_i - z_i b) + sum_j l1_j |b_j| + rhs . b,     rho(r) = max(level r, (level - 1) r)
//   its dual          maximise sum_i w_i a_i y_i  with  level - 1 <= a_i <= level,  sum_i w_i a_i z_i + penalty's part = rhs
//
// z_i are the columns of the design, shifted and scaled, and a one. |b_j| enters as a row e_j with target 0, level 1/2 and
// weight 2 l1_j. rhs stands for rows left out whose residuals' signs are known. A row of weight k has the barrier of k rows
// of weight one, so that repetition and weight take the same path.
//
// An iteration is a weighted Gram matrix, two solves with its factor and two more passes over the rows: predictor and
// corrector in the manner of Mehrotra, steps of primal and dual apart. Columns that depend on others get zero.
// Cost: 10-25 iterations of n q^2 multiply-adds; 13 doubles a row. Several levels: side by side where the rows are few, one
// after the other on all threads where they are many. The same bits for any number of threads.
// References: Portnoy and Koenker, The Gaussian hare and the Laplacian tortoise, Statistical Science 12 (1997), 279-300;
// Mehrotra, On the implementation of a primal-dual interior point method, SIAM J. Optim. 2 (1992), 575-601.
#pragma once

#include <span>
#include <vector>

#include "mlwright/linalg/design.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::solver {

struct QuantileRows {
  const linalg::Design& x;
  std::span<const double> y;
  const double* w = nullptr;          // positive; null: all ones
  std::span<const double> shift, scale;  // one a column of x
  bool ones = true;                   // whether a column of ones follows those of x
  std::span<const double> l1;         // one a column of x, none negative; empty: no penalty

  index_t parameters() const noexcept { return x.cols() + (ones ? 1 : 0); }
};

struct QuantileStop {
  double tol = 1e-11;      // of the gap between primal and dual, relative to the objective
  index_t max_iter = 100;
};

struct QuantileFit {
  std::vector<double> b;  // parameters()
  std::vector<double> a;  // one a row
  index_t n_iter = 0;
};

// One fit a level; rhs holds parameters() numbers a level, or nothing.
std::vector<QuantileFit> frisch_newton(const QuantileRows& rows, std::span<const double> levels,
                                       std::span<const double> rhs, const QuantileStop& stop, runtime::CancelToken& token);

}  // namespace mlwright::solver
