// Distances from tiles of 64 points to all centres, and the nearest centre of each point.
//
// A tile holds 64 points, lanes are points, so that the search for the minimum costs no shuffles: in double as [coordinate][64],
// in single precision as the level's pack arranges them. Sums run over coordinates in their order, whatever the shape of the
// register tile.
#pragma once

#include <cstdint>

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

inline constexpr index_t kTilePoints = 64;
inline constexpr index_t kNearestBlock = 64;  // coordinates that are summed up before their sum is added to the others'

struct NearestFound {  // of a tile, by the filter
  float upper[kTilePoints];         // at least the distance to the nearest centre
  float lower[kTilePoints];         // at most the distance to any other centre
  std::int32_t label[kTilePoints];
  std::int32_t certain[kTilePoints];  // whether rounding leaves no doubt about the label; else nothing above holds
};

struct NearestExact {
  double best[kTilePoints], second[kTilePoints];  // squared distances
  std::int32_t label[kTilePoints];                // the first of equally near centres
};

struct NearestTable {
  // The tile of (x_r[i] - shift[i]) * unit for `count` points, zeros for the others that the filter reads; 64 p numbers.
  void (*pack_f64)(const double* const* x, index_t count, index_t p, const double* shift, double unit, float* tile);
  void (*pack_f32)(const float* const* x, index_t count, index_t p, const double* shift, double unit, float* tile);

  // In single precision by |c|^2 / 2 - x . c. `slack` is 2^-24 times the roundings of a sum and 20 more, `tiny` what underflow
  // may have lost; largest is an upper bound of |c|.
  void (*filter)(const float* tile, index_t count, index_t p, const float* centers, const float* half_norm, index_t k,
                 float largest, float slack, float tiny, NearestFound* found);

  // In double precision, sums of squared differences.
  void (*search)(const double* tile, index_t count, index_t p, const double* centers, index_t k, NearestExact* found);
  // out[j * 64 + r], all of them
  void (*all)(const double* tile, index_t count, index_t p, const double* centers, index_t k, double* out);

  // |x - c|^2 of one point; eight lanes along the coordinates.
  double (*between_f64)(const double* x, const double* c, index_t p);
  double (*between_f32)(const float* x, const double* c, index_t p);
};

MLWRIGHT_SIMD_TABLES(NearestTable, nearest)

}  // namespace mlwright::simd
