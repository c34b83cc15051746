// One pass over the rows of a mixture of Gaussians: densities, responsibilities, and the moments of each component that a
// step of expectation-maximization, or of its variational sister, needs. Nothing of size rows x components is kept unless
// the caller asks for it.
#pragma once

#include <cstdint>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::mixture {

enum class Covariance : std::uint8_t { full, tied, diagonal };

// log p(x, k) = constants[k] - |U_k' (x - means[k])|^2 / 2, where the precision is U_k U_k'.
struct Components {
  index_t k, d;
  Covariance covariance;
  const double* means;    // k x d
  const double* factors;  // full: k upper triangles, d x d each; tied: one; diagonal: k x d square roots of precisions
  const double* constants;
};

struct Rows {
  const double* x;  // n x d
  index_t n;
  const double* w;  // n, not negative; null: ones
};

// About centres c_k: mass = sum r, sums = sum r (x - c_k), squares = sum r (x - c_k)(x - c_k)', r weights included.
struct Moments {
  double log_likelihood = 0.0;  // sum over rows of w log sum_k p(x, k)
  double entropy = 0.0;         // - sum w r log r
  std::vector<double> mass;     // k
  std::vector<double> sums;     // k x d
  std::vector<double> squares;  // full: k x d x d, symmetric; diagonal: k x d; tied: empty
};

// What a pass tells of each row, where it is not null.
struct RowAnswers {
  double* log_density = nullptr;     // n: log sum_k p(x, k)
  double* responsibility = nullptr;  // n x k
};

// Responsibilities under `components`, and the moments about their means if `wants_moments`.
Moments expect(const Rows& rows, const Components& components, const RowAnswers& answers, bool wants_moments,
               runtime::CancelToken& token);

// The moments of given responsibilities (n x k, without the weights) about given centres (k x d).
Moments moments_of(const Rows& rows, const double* responsibility, index_t k, index_t d, Covariance covariance,
                   const double* centres, runtime::CancelToken& token);

}  // namespace mlwright::mixture
