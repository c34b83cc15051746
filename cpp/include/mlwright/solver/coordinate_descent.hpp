// Coordinate descent on quadratics of which the Gram matrix is at hand:
//
//   minimise F(b) = b'Gb / 2 - c'b + square / 2 + sum_j P_j(b_j),    G positive semidefinite, P_j any penalty of one coefficient.
//
// Least squares has G = X'WX, c = X'Wy, square = y'Wy; a Newton step of a penalised likelihood has the same form in the new
// coefficients (square is any number that keeps F from being negative: the gap below is then still a bound).
//
// A working set of features with its own compact Gram matrix: sweeps cost (set)(support) multiply-adds, and the whole gradient
// is formed anew from the support, from no sum that could drift, when the set is solved. Features that then violate their
// optimality condition join. Once sweeps have cost as much as a Cholesky factor of the support would (and some more where the
// support still moves), a Newton step on the support ends the matter, or goes as far as signs (pieces of the penalty) hold.
//
// Certificates: `gap` bounds F(b) - min F (infinity where a penalty is not convex; far from tight where a coefficient has no
// penalty at all); `violation` is the largest distance of -grad_j to the subdifferential of P_j over sqrt(G_jj), zero at and only
// at stationary points. Both are of the answer returned, over all features.
//
// Deterministic, the same bits at every SIMD level. Thread-safe with a workspace each. Cancellable once a sweep.
// References: Friedman, Hastie and Tibshirani (2010), Regularization paths for generalized linear models via coordinate descent,
// JSS 33. Ndiaye, Fercoq, Gramfort and Salmon (2017), Gap safe screening rules for sparsity enforcing penalties, JMLR 18.
#pragma once

#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/penalty/per_feature.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::solver {

struct Quadratic {
  index_t p;
  const double* gram;  // p rows of p, `stride` apart; symmetric
  index_t stride;
  const double* linear;  // c
  double square;
};

struct Stop {
  double gap = 0.0;        // either bound ends the descent
  double violation = 0.0;
  index_t max_sweeps = 1000;
};

struct Descent {
  double objective, gap, violation;
  index_t n_sweeps;
  bool converged;
};

// Scratch memory, and the working set from one call to the next: penalties along a path. reset() before another Gram matrix.
class CdWorkspace {
 public:
  void reset() { n_ = 0; }

 private:
  template <class Penalty>
  friend class CoordinateDescent;
  index_t n_ = 0, capacity_ = 0;           // members, and rows that `gram_` has room for
  std::vector<index_t> member_, place_;    // features of the set; where a feature is in it, or -1
  std::vector<double> gram_, b_, g_, linear_, diagonal_, inverse_;  // of the members
  std::vector<double> factor_, step_;
  std::vector<index_t> support_;
  std::vector<std::pair<double, index_t>> violators_;
};

// From b to the minimiser (a stationary point where P is not convex), in place; gradient (p numbers) becomes G b - c.
// Instantiated for every family of penalty/per_feature.hpp.
template <class Penalty>
Descent coordinate_descent(const Quadratic& problem, const Penalty& penalty, double* b, double* gradient,
                           CdWorkspace& workspace, const Stop& stop, runtime::CancelToken& token);

}  // namespace mlwright::solver
