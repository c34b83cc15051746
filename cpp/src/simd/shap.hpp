// What Shapley values do to blocks of kShapRows rows (or patterns): comparisons, pattern numbers, quadrature, table sums.
#pragma once

#include <cstdint>

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

inline constexpr int kShapRows = 64;   // rows of one block
inline constexpr int kShapLanes = 8;   // doubles of one entry block
using RowMask = std::uint16_t;         // 0 or 0xffff a row

// One leaf's path for the quadrature: feature i of d is present (1.0) or absent (0.0) in row r as given by
// present[i * kShapRows + r]. The product over features is the sum over q of weight[q] times the product of
// absent[i * n_points + q] + present * point[q].
struct PathPolynomial {
  int d;
  int n_points;
  const double* point;
  const double* weight;
  const double* absent;        // d x n_points: (1 - t_q) z_i
  const double* ratio;         // d x n_points: (1 - z_i) / ((1 - t_q) z_i + t_q), what a present feature brings
  const double* absent_ratio;  // n_points: -1 / (1 - t_q), what an absent one brings
};

struct ShapTable {
  // mask[r] = 0xffff where x[r] <= threshold, or x[r] is NaN and missing_left.
  void (*compare)(const double* x, double threshold, bool missing_left, RowMask* mask);
  // The same with |x| <= 1e-35f missing too.
  void (*compare_zero_missing)(const double* x, double threshold, bool missing_left, RowMask* mask);
  // all[r] &= mask[r], or its complement.
  void (*narrow)(const RowMask* mask, bool complement, RowMask* all);
  // id[r] |= mask[r] & bit.
  void (*add_bit)(const RowMask* mask, RowMask bit, RowMask* id);
  // mask to 1.0 and 0.0.
  void (*to_numbers)(const RowMask* mask, double* present);
  // out[i * kShapRows + r]: what feature i adds to a leaf of value 1. n rows, rounded up to a multiple of eight.
  void (*path_values)(const PathPolynomial& path, const double* present, int n, double* out);
  // out[pair * kShapRows + r] for pairs (0,1), (0,2), ... (d-2,d-1): half of the interaction. scratch: d * kShapLanes.
  void (*path_pairs)(const PathPolynomial& path, const double* present, int n, double* scratch, double* out);
  // sums[r * stride + offset[b] ...] += table[id[r] * n_blocks + b], blocks of kShapLanes doubles.
  void (*add_entries)(const double* table, const RowMask* id, int n, const std::uint32_t* offset, int n_blocks, double* sums,
                      index_t stride);
};

MLWRIGHT_SIMD_TABLES(ShapTable, shap)

}  // namespace mlwright::simd
