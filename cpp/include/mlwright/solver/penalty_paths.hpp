// Many paths of penalties at once: a path is one quadratic (a fold, a target) and a sequence of strengths, each solved from the
// answer before; threads take paths.
#pragma once

#include <cstdint>

#include "mlwright/solver/coordinate_descent.hpp"

namespace mlwright::solver {

struct Paths {
  index_t p, n_paths, n_steps;
  const double* gram;         // matrices of p x p, one after the other
  const std::int64_t* which;  // n_paths: the matrix of each path
  const double* linear;       // n_paths x p
  const double* square;       // n_paths
  const double* start;        // n_paths x p, or null: zeros
  double tol;                 // of the gap, relative to square
  double violation;           // of the violation, relative to the root of square
  index_t max_sweeps;         // a step
};

struct PathResults {
  double* coef;            // n_paths x n_steps x p
  double* gap;             // n_paths x n_steps
  double* violation;       // n_paths x n_steps
  double* objective;       // n_paths x n_steps
  std::int32_t* n_sweeps;  // n_paths x n_steps
};

// penalty_at(path, step) is the family of that step. Instantiated in penalty_paths.cpp for the families below.
struct ElasticNetSteps {
  const double *l1, *l2;  // n_paths x n_steps
  const double *l1_weight, *l2_weight, *low, *high;  // p; bounds null: none
};
struct ConcaveSteps {
  const double* strength;  // n_paths x n_steps
  double gamma;
  const double *weight, *unit, *low, *high;  // p; bounds null: none
  bool scad;
};

void elastic_net_paths(const Paths& paths, const ElasticNetSteps& steps, const PathResults& out, runtime::CancelToken& token);
void concave_paths(const Paths& paths, const ConcaveSteps& steps, const PathResults& out, runtime::CancelToken& token);

}  // namespace mlwright::solver
