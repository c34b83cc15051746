// Covariance matrices of a Gaussian process, and the gradient of its log marginal likelihood, tile by tile.
//
//   d log p(y) / dlog(theta) = 1/2 sum_ij (sum_t a_it a_jt - n_targets P_ij) dk(x_i, x_j) / dlog(theta)
//
// with P = K^-1 and a = P y: a reduction over pairs in strips of kStrip, whose kernel values are computed anew, so that
// memory stays that of P alone. The same bits for any number of threads. Complexity O(n^2 (d + functions)).
// Reference: Rasmussen and Williams (2006), equation 5.9.
#pragma once

#include "mlwright/base/view.hpp"
#include "mlwright/gp/kernel.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::gp {

// Rows of n x d, row-major.
struct Points {
  const double* x;
  index_t n;
};

// out (n x n, row-major): its upper triangle, k(x_i, x_j) for j >= i, plus noise_i on the diagonal.
void covariance(const Kernel& kernel, Points x, const double* noise, double* out, runtime::CancelToken& token);

// out (x.n x z.n, row-major). `same`: whether row i of both is the same row, so that white noise counts.
void cross_covariance(const Kernel& kernel, Points x, Points z, bool same, double* out, runtime::CancelToken& token);

// The gradient above; precision is the upper triangle of P (n x n, row-major), weights is a (n x n_targets, row-major).
std::vector<double> covariance_gradient(const Kernel& kernel, Points x, const double* precision, const double* weights,
                                        index_t n_targets, runtime::CancelToken& token);

}  // namespace mlwright::gp
