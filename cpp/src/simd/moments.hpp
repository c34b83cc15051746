// Weights, means and scatters of columns over a packed block of rows, entries that are NaN left out.
#pragma once

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

struct MomentsTable {
  // Of a block as in simd/gram.hpp: for each of the 8 * groups columns sum w, sum w x / sum w and sum w (x - mean)^2 over
  // the rows where x is a number; 0, 0, 0 where there is none. w may be null (all ones). Two passes over the block, which
  // is in cache, and the mean corrected by what the second one finds: no digits cancel.
  void (*of_block)(const double* block, const double* w, index_t rows, index_t groups, double* weight, double* mean,
                   double* scatter);
};

MLWRIGHT_SIMD_TABLES(MomentsTable, moments)

}  // namespace mlwright::simd
