// The Vecchia approximation: each row given its nearest earlier rows instead of all of them.
//
//   p(y) = prod_i N(y_i | u_i' y_N(i), D_i),  u_i = C_NN^-1 c_iN,  D_i = c_ii - u_i' c_iN,  C = kernel + noise
//
// is the exact likelihood if N(i) are all earlier rows. A row costs one Cholesky factor of its m neighbours, eight rows side
// by side in the lanes of vectors; the gradient comes from the same pair values with weights from u and w = C_NN^-1 y_N:
// O(m^2) more, however many parameters there are. The same bits for any number of threads.
// Reference: Vecchia (1988), JRSS B 50; Katzfuss and Guinness (2021), A general framework for Vecchia approximations of Gaussian
// processes. Statistical Science 36.
#pragma once

#include <vector>

#include "mlwright/gp/dense.hpp"

namespace mlwright::gp {

// Rows to condition on: neighbours of row i are neighbours[i m .. i m + m), -1 from where there are no more.
struct Neighbours {
  const index_t* row;
  index_t m;
};

struct Targets {
  const double* y;      // n x n_targets
  const double* noise;  // n
  index_t n_targets;
};

struct VecchiaLikelihood {
  bool positive_definite;
  double value;
  std::vector<double> gradient;  // by the logarithms of the kernel's parameters
};
VecchiaLikelihood vecchia_likelihood(const Kernel& kernel, Points x, const Targets& targets, Neighbours neighbours,
                                     bool with_gradient, runtime::CancelToken& token);

// u (q x m, zero where there is no neighbour) and D (q) of queries given rows of x; noise is of x, and D holds the kernel's white
// noise but no other. False where a matrix is not positive definite.
bool vecchia_conditionals(const Kernel& kernel, Points x, const double* noise, Points queries, Neighbours neighbours, double* u,
                          double* D, runtime::CancelToken& token);

}  // namespace mlwright::gp
