// Block coordinate descent on quadratics of which the Gram matrix is at hand, for penalties of groups of coefficients:
//
//   minimise F(B) = tr(B'GB) / 2 - tr(C'B) + square / 2 + sum_g P_g(B_g),     B of p features and t targets,
//
// G positive semidefinite and common to the targets, every group a set of features with all their targets. Groups of one
// feature are the multi-task lasso, one target the group lasso.
//
// A block moves by proximal steps with a bound of the largest eigenvalue of its Gram matrix, several where it has more than one
// feature. Sweeps visit the groups that are not zero or violate their optimality condition; every few of them the iterates are
// extrapolated (Anderson), which is kept where it lowers the objective; once sweeps have cost as much as a Cholesky factor of
// the support would, Newton steps on the coefficients that are neither zero nor at a bound end the matter, or go as far as the
// objective falls and bounds allow.
// The gradient is formed anew from B before anything is certified.
//
// Certificates as of solver/coordinate_descent.hpp: `gap` bounds F(B) - min F; `violation` is the largest distance of a block's
// -gradient to the subdifferential over the root of that eigenvalue bound.
//
// Deterministic, the same bits at every SIMD level. Thread-safe with a workspace each. Cancellable once a sweep.
// References: Yuan and Lin (2006), Model selection and estimation in regression with grouped variables, JRSS B 68. Bertrand and
// Massias (2021), Anderson acceleration of coordinate descent, AISTATS. Ndiaye, Fercoq, Gramfort and Salmon (2017), JMLR 18.
#pragma once

#include <cstdint>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/penalty/boxed_group.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/solver/coordinate_descent.hpp"

namespace mlwright::solver {

struct BlockQuadratic {
  index_t p, t;
  const double* gram;    // p x p; symmetric
  const double* linear;  // C, target by target: t x p
  double square;
  index_t n_groups;
  const std::int64_t *start, *member;  // group g has the features member[start[g]] ... member[start[g + 1] - 1]
};

// Strengths times weights: l1 of each feature (in the order of `member`), norm and ridge of each group. Bounds of the features'
// coefficients, in the order of `member`, low <= 0 <= high; null: none.
struct GroupPenalties {
  double l1, norm, ridge;
  const double *l1_weight, *norm_weight, *ridge_weight, *low, *high;
};

// From B (t x p), which is within bounds, to the minimiser, in place; gradient (t x p) becomes G B - C. `bounds` (n_groups) as of block_bounds.
Descent block_descent(const BlockQuadratic& problem, const GroupPenalties& penalty, const double* bounds, double* b,
                      double* gradient, const Stop& stop, runtime::CancelToken& token);

// For every group a number that its Gram matrix's largest eigenvalue does not exceed; zero for columns without spread.
void block_bounds(const BlockQuadratic& problem, double* bounds);

struct BlockPaths {
  index_t p, t, n_paths, n_steps, n_groups;
  const double* gram;         // matrices of p x p, one after the other
  const std::int64_t* which;  // n_paths: the matrix of each path
  const double* linear;       // n_paths x t x p
  const double* square;       // n_paths
  const double* start;        // n_paths x t x p, or null: zeros
  const std::int64_t *group_start, *member;
  const double *l1, *norm, *ridge;  // n_paths x n_steps
  const double *l1_weight, *norm_weight, *ridge_weight;
  const double *low, *high;  // as of GroupPenalties
  double tol;        // of the gap, relative to square
  double violation;  // of the violation, relative to the root of square
  index_t max_sweeps;
};

struct BlockResults {
  double* coef;  // n_paths x n_steps x t x p
  double *gap, *violation, *objective;  // n_paths x n_steps
  std::int32_t* n_sweeps;
};

// Many paths of strengths at once, each step from the answer before; threads take paths.
void block_paths(const BlockPaths& paths, const BlockResults& out, runtime::CancelToken& token);

}  // namespace mlwright::solver
