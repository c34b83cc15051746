// L-BFGS from a preconditioner: smooth convex minimisation where a Hessian is too large to be formed.
//
// The two-loop recursion starts from the preconditioner instead of a multiple of the identity, scaled by the last step. Steps
// are tried at full length, then shortened by interpolation until the objective falls (Armijo). Converged: half of -g'd, the
// model's estimate of what is left to gain, is at most tol^2 / 100 of the deviance, and violation() at most tol.
// Deterministic where the objective is. Memory: 20 vectors.
// Reference: Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.4 and section 7.2 on preconditioning.
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
  index_t n_iter = 0, n_evaluations = 0;
  Status status = Status::iterations;
};

LbfgsFit lbfgs(SmoothObjective& objective, std::vector<double>& x, const LbfgsOptions& options, runtime::CancelToken& token);

}  // namespace mlwright::solver
