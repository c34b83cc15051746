// L-BFGS from a preconditioner: smooth convex minimisation where a Hessian is too large to be formed.
//
// The two-loop recursion starts from the preconditioner instead of a multiple of the identity, scaled by the last step. Steps
// are tried at full length, then shortened by interpolation until the objective falls (Armijo).
//
// Converged: half of -g'd, the recursion's estimate of what is left to gain, is at most tol^2 / 40 of the deviance, violation()
// at most tol, and half of g'H^-1 g, Newton's, at most tol^2 / 10 of it. A recursion has not seen what its steps have not
// moved, as the directions in which classes that are all but separable still grow. Newton's is summed by conjugate gradients on
// products with the Hessian, which start from the recursion's inverse: two or three of them where that is right; where it is
// not, they have found Newton's step, and the descent goes on from there. Where H is flat beside the preconditioner, along the
// parameters or a step, what they have not seen is bounded by the penalty.
// Deterministic where the objective is. Memory: 25 vectors.
// References: Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.4 and sections 7.1 and 7.2. Morales and Nocedal,
// SIAM Journal on Optimization 10 (2000), 1079-1096, on conjugate gradients with such inverses. Strakos and Tichy, Electronic
// Transactions on Numerical Analysis 13 (2002), 56-80, on what their steps tell of the error.
#pragma once

#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/solver/newton.hpp"

namespace mlwright::solver {

class SmoothObjective {
 public:
  virtual ~SmoothObjective() = default;
  virtual index_t size() const = 0;
  virtual double evaluate(const double* x, double* gradient, runtime::CancelToken& token) = 0;
  virtual void precondition(double* v) const = 0;                              // v = M^-1 v, M near the Hessian up to a factor
  virtual void curve_at(const double* x, runtime::CancelToken& token) = 0;     // where products with the Hessian will be asked for
  // out = H v; returns v'Mv, M that the preconditioner is made of, of all rows.
  virtual double times_hessian(const double* v, double* out, runtime::CancelToken& token) const = 0;
  // A bound of r'H^-1 r by the penalty, where the intercepts have `share` of M's curvature; infinite without a penalty.
  virtual double bound(const double* r, double share) const = 0;
  virtual double largest_curvature_violation(const double* gradient) const = 0;  // max |g_j| / sqrt(M_jj)
  virtual double rounding() const = 0;                                         // of one evaluation, about
  virtual double saturated() const = 0;                                        // the objective that no point can be below
};

struct LbfgsOptions {
  double tol = 1e-4;
  index_t max_iter = 100;
};

struct LbfgsFit {
  double objective = 0.0, violation = 0.0;
  index_t n_iter = 0, n_evaluations = 0;  // n_evaluations: and products with the Hessian
  Status status = Status::iterations;
};

LbfgsFit lbfgs(SmoothObjective& objective, std::vector<double>& x, const LbfgsOptions& options, runtime::CancelToken& token);

}  // namespace mlwright::solver
