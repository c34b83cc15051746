// Distribution function and density of a mixture of normal laws, unscaled sums over its components.
#pragma once

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

struct NormalMixtureTable {
  // The sums of Phi(z_i) and of phi(z_i) inverse_i, z_i = (x - mean_i) inverse_i. Component i in lane i % 8, combined at the end.
  void (*below)(double x, const double* mean, const double* inverse, index_t n, double* share, double* density);
};

MLWRIGHT_SIMD_TABLES(NormalMixtureTable, normal_mixture)

}  // namespace mlwright::simd
