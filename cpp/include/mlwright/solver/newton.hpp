// Newton's method for smooth generalized linear models: min over b, b0 of  loss(Z b + b0) + 1/2 sum_j l2_j b_j^2.
//
// - The first steps see a sixteenth of the rows' blocks where there are many; their Hessian then serves the whole table, and
//   one is only formed anew where steps with the old one stop shrinking the decrement tenfold. Gradients are always exact, so
//   the answer does not depend on it.
// - Steps are tried at full length; where the loss does not fall, shorter ones are tried on the scores alone, O(n). Where it falls
//   and rises again, the step ends where the line between both slopes is flat.
// - Columns are centred and scaled by the design (linalg/row_blocks.hpp); a column that depends on those before it is left
//   out by the factorisation and keeps its coefficient.
// - Converged: half the squared decrement, the model's estimate of what is left to gain, is at most tol^2 / 10 of the
//   deviance, and no coordinate alone could gain more than tol^2 / 2 of it. A step that then still moves some score by more
//   than 1/2 means that the minimum is at infinity (separable classes): Status::diverging.
// Deterministic (see glm_pass.hpp).
// Reference: Nocedal and Wright, Numerical Optimization, 2006, chapters 3 and 6; Dennis and More 1974 (inexact Hessians).
#pragma once

#include <vector>

#include "mlwright/solver/glm_pass.hpp"

namespace mlwright::solver {

struct NewtonProblem {
  GlmData data;
  std::vector<double> l2;  // padded; of the columns of z
  bool intercept = true;
  double saturated = 0.0;  // the loss that no model can be below: what a deviance is measured from
};

struct NewtonOptions {
  double tol = 1e-4;
  index_t max_iter = 100;
  bool subsample = true;
};

enum class Status : int { converged = 0, iterations = 1, stalled = 2, diverging = 3, not_finite = 4 };

struct NewtonFit {
  std::vector<double> coef;  // padded; of the columns of z
  double intercept = 0.0;
  double loss = 0.0;       // without the penalty
  double decrement = 0.0;  // half its square, relative to the deviance
  double violation = 0.0;  // largest |gradient_j| / sqrt(hessian_jj deviance)
  index_t n_iter = 0;
  double n_passes = 0.0;  // reads of the table
  index_t rank = 0;       // columns of z that the Hessian tells apart
  Status status = Status::iterations;
};

NewtonFit newton(const NewtonProblem& problem, std::vector<double> coef, double intercept, const NewtonOptions& options,
                 runtime::CancelToken& token);

// The fits along penalties, the first of which is the problem's, each from where the one before ended: its gradient there
// and the last Hessian serve on, so a penalty that changes little costs a pass or two.
std::vector<NewtonFit> newton_path(const NewtonProblem& problem, const std::vector<std::vector<double>>& l2,
                                   std::vector<double> coef, double intercept, const NewtonOptions& options,
                                   runtime::CancelToken& token);

}  // namespace mlwright::solver
