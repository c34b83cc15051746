// One read of a design for all that a step of a generalized linear model needs: scores, loss, gradient and Hessian.
//
//   eta = Z b + b0 + offset,  loss = sum w l(y, eta),  g = w l'(y, eta),  h = w l''(y, eta),
//   gradient = Z'g,  Hessian = Z' diag(h) Z with its border Z'h and 1'h for the intercept
//
// block by block while the rows are in cache. A stride s visits every s-th block of 128 rows: a subsample that costs no copy.
// Where the Hessian would not stay in cache (more than 512 columns) it takes a read of its own.
// Cost: 2 n p multiply-adds, with the Hessian n p^2 / 2 more. Deterministic: the same bits for any number of threads and any
// instruction set.
#pragma once

#include <vector>

#include "mlwright/linalg/row_blocks.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/solver/row_loss.hpp"

namespace mlwright::solver {

struct GlmData {
  const linalg::RowBlocks& x;
  const double* y;
  const double* w;       // null: all ones
  const double* offset;  // null: zeros
  const RowLoss& loss;
};

enum class Depth { loss, gradient, hessian };

struct GlmSums {
  double loss = 0.0, total_g = 0.0, total_h = 0.0;
  std::vector<double> gradient;  // padded
  std::vector<double> border;    // padded: Z'h
  std::vector<double> hessian;   // padded x padded, upper half
  index_t rows = 0;              // visited
};

// coef: padded; eta receives the scores of the visited rows.
GlmSums glm_pass(const GlmData& data, const std::vector<double>& coef, double intercept, Depth depth, index_t stride,
                 double* eta, runtime::CancelToken& token);

// The loss at (1 - t) from + t to, over the visited rows: what a line search asks, without reading the design.
double loss_between(const GlmData& data, const double* from, const double* to, double t, index_t stride,
                    runtime::CancelToken& token);

// max |a - b| over the visited rows.
double largest_move(const GlmData& data, const double* a, const double* b, index_t stride);

// Sum of the weights, and sums of w x and w x^2 of every column as it is, in one read; w may be null.
struct Moments {
  double weight;
  std::vector<double> first, second;  // padded
};
Moments column_moments(const linalg::RowBlocks& x, const double* w, runtime::CancelToken& token);

}  // namespace mlwright::solver
