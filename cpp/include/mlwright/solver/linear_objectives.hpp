// The penalised losses that L-BFGS minimises over the columns of a design, and their preconditioners.
//
//   multinomial: sum w (log sum_k exp eta_k - eta_y) + 1/2 sum_jk l2_j b_jk^2 over k classes, one read of the design an
//                evaluation (scores, softmax and gradient while the rows are in cache). Preconditioner: 1/2 Z'WZ + l2, which
//                times (I - 11'/k) bounds the Hessian from above; its factor serves every class.
//   scalar:      sum w l(y, eta) + 1/2 sum l2_j b_j^2, for more columns than a Hessian may have.
// Where the columns are many the preconditioner is the diagonal, of centred columns. A Gram matrix is taken from a subsample
// of the blocks of rows that has eight rows a column.
// Parameters: padded() x width coefficients, then width intercepts, width the classes rounded up to eights (or 1).
// Reference: Boehning, Annals of the Institute of Statistical Mathematics 44 (1992), 197-200.
#pragma once

#include <memory>
#include <vector>

#include "mlwright/solver/glm_pass.hpp"
#include "mlwright/solver/lbfgs.hpp"

namespace mlwright::solver {

struct LinearProblem {
  const linalg::RowBlocks& x;
  const double *y, *w, *offset;  // offset: null, or a number a row; of classes one a row and class, row after row
  std::vector<double> l2;       // padded
  bool intercept = true;
  double saturated = 0.0;
  std::vector<double> squares;  // padded: sum w z_j^2, for the diagonal preconditioner; empty for the Gram matrix
};

inline index_t class_width(index_t classes) { return (classes + 7) / 8 * 8; }

// Adds the classes' starts, and the offsets of `count` rows from row r on, to scores (count x class_width(classes)).
void start_classes(const LinearProblem& problem, index_t classes, const double* start, index_t r, index_t count, double* eta);

// The multinomial loss at parameters x, and its gradient, in one read; no penalty.
double multinomial_pass(const LinearProblem& problem, index_t classes, const double* x, double* gradient,
                        runtime::CancelToken& token);

std::unique_ptr<SmoothObjective> multinomial_objective(LinearProblem problem, index_t classes, runtime::CancelToken& token);
std::unique_ptr<SmoothObjective> scalar_objective(LinearProblem problem, const RowLoss& loss, double curvature,
                                                  runtime::CancelToken& token);

}  // namespace mlwright::solver
