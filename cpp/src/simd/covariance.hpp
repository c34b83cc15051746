// Covariance functions of Gaussian processes over a strip of pairs. Every n is a multiple of eight (kStripLanes): strips are
// padded, and what a sum must not see has a weight of zero. Sums take lanes in one fixed order.
#pragma once

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

inline constexpr index_t kStripLanes = 8;

struct CovarianceTable {
  // out = (x - c)^2 / total += (x - c)^2
  void (*square)(const double* x, double c, index_t n, double* out);
  void (*add_square)(const double* x, double c, index_t n, double* total);
  void (*add_scaled)(const double* x, double scale, index_t n, double* total);  // total += x * scale
  void (*multiply)(const double* x, const double* y, index_t n, double* out);
  void (*add)(const double* x, const double* y, index_t n, double* out);

  // Correlations of the squared scaled distance s, and slope = -2 d value / d s where slope is not null:
  // d value / d log(l_k) = slope * s_k, s_k the part of s along column k.
  void (*rbf)(const double* s, index_t n, double* value, double* slope);
  void (*matern12)(const double* s, index_t n, double* value, double* slope);
  void (*matern32)(const double* s, index_t n, double* value, double* slope);
  void (*matern52)(const double* s, index_t n, double* value, double* slope);
  // (1 + s / (2 alpha))^-alpha, and d value / d log(alpha)
  void (*rational)(const double* s, double alpha, index_t n, double* value, double* slope, double* alpha_slope);

  // Eight matrices side by side, entry (i, j) of the lower triangle at (i (i + 1) / 2 + j) 8 + lane: in place, their
  // Cholesky factors. False where a pivot is not above `least` times the diagonal entry that it came from.
  bool (*cholesky_lanes)(double* a, index_t n, double least);
  // x (n x 8): the solutions of the eight systems, from their factors.
  void (*solve_lanes)(const double* factor, index_t n, double* x);

  double (*sum)(const double* x, index_t n);
  double (*dot)(const double* x, const double* y, index_t n);
};

MLWRIGHT_SIMD_TABLES(CovarianceTable, covariance)

}  // namespace mlwright::simd
