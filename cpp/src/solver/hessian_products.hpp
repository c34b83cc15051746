// Products of a Hessian of the sum of losses with a vector, without the Hessian: Z' D Z v from one read of the rows.
//
// Of one score D is diagonal, w l''; of several classes a row has w (diag(s) - s s') with s its softmax. Vectors are those of
// solver/linear_objectives.hpp: padded() x width coefficients, then width intercepts. No penalty. Deterministic.
#pragma once

#include <vector>

#include "mlwright/solver/linear_objectives.hpp"

namespace mlwright::solver {

// w l'' of every row at parameters x, one read.
std::vector<double> row_curvatures(const GlmData& data, const double* x, runtime::CancelToken& token);

// Both return the sum of w (z'v)^2 over rows and classes.
double scalar_hessian_product(const LinearProblem& problem, const std::vector<double>& curvatures, const double* v, double* out,
                              runtime::CancelToken& token);

// At parameters x; half again as much work as a gradient, since softmaxes of rows are not kept.
double multinomial_hessian_product(const LinearProblem& problem, index_t classes, const double* x, const double* v, double* out,
                                   runtime::CancelToken& token);

}  // namespace mlwright::solver
