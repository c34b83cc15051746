// Mixtures of Gaussians over one block of rows. A block is columns of `rows` numbers (a multiple of kMixtureRows), one row a
// lane, so that a row's arithmetic does not depend on the width of vectors; sums over rows take lanes in one fixed order.
// Columns are padded with zeros to `padded`, a multiple of kMixtureTile.
#pragma once

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

inline constexpr index_t kMixtureRows = 32;
inline constexpr index_t kMixtureTile = 4;

struct MixtureTable {
  // z = (x - mean), column by column; the padding of z is left alone.
  void (*centre)(const double* x, const double* mean, index_t rows, index_t d, double* z);

  // out[r] = |U' z|^2 of each row. `tiles` holds the upper triangle U by tiles of kMixtureTile columns: for a tile that
  // begins at column j, rows 0 to j + kMixtureTile - 1 of its columns, row by row.
  void (*triangle_distance)(const double* z, const double* tiles, index_t rows, index_t padded, double* out);
  // out = U' z, in columns.
  void (*triangle_product)(const double* z, const double* tiles, index_t rows, index_t padded, double* out);
  // out[r] = sum_j (z_j scale_j)^2
  void (*scaled_distance)(const double* z, const double* scale, index_t rows, index_t d, double* out);

  // joint (k columns): squared distances to constant_k - distance / 2; log_sum = log sum_k exp of them.
  void (*log_joint)(const double* constants, index_t rows, index_t k, double* joint, double* log_sum);
  // joint: log p(x, k) to responsibilities r = exp(joint - log_sum); entropy = - sum_k r log r.
  void (*normalise)(const double* log_sum, index_t rows, index_t k, double* joint, double* entropy);

  // mass += sum r; sums += sum r z; squares (padded x padded, lower tiles only) += sum r z z'. scratch: a block.
  void (*full_moments)(const double* z, const double* r, index_t rows, index_t padded, double* scratch, double* mass,
                       double* sums, double* squares);
  // The same with squares of each column only; not at all where squares is null.
  void (*diagonal_moments)(const double* z, const double* r, index_t rows, index_t d, double* mass, double* sums, double* squares);
};

MLWRIGHT_SIMD_TABLES(MixtureTable, mixture)

}  // namespace mlwright::simd
