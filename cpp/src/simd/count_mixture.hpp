// What quantiles of mixtures of laws of counts are made of: sampler/count_mixture.cpp.
#pragma once

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

inline constexpr int kCountMostDegree = 24, kCountMostColumns = 10;

// A law of counts at one k, as a function of its mean: dispersion phi, and the constant of its log probability.
struct CountPoint {
  double k, phi, constant;
};

struct CountMixtureTable {
  // place[i] = asinh(sqrt(phi mean[i])) / sqrt(phi); sqrt(mean[i]) where phi is 0.
  void (*places)(const double* mean, index_t n, double phi, double* place);
  // moments[c (degree + 1) + j] = sum_i weights[c n + i] T_j(x_i), x_i = (place[i] - middle) inverse within [-1, 1], for
  // j <= degree, which is 2 or more. n is a multiple of 8.
  void (*moments)(const double* place, const double* weights, index_t n, int columns, int degree, double middle, double inverse,
                  double* moments);
  // The sums of p_i at[i] and of p_i before[i], p_i the probability of k where the mean is mean[i]. n is a multiple of 8.
  void (*sums)(const CountPoint& point, const double* mean, const double* at, const double* before, index_t n, double* sum_at,
               double* sum_before);
};

MLWRIGHT_SIMD_TABLES(CountMixtureTable, count_mixture)

}  // namespace mlwright::simd
