// Values to bin codes.
#pragma once

#include <cstdint>

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

struct BinningTable {
  // code[i] = #{t < x[i]} over 256 thresholds padded with +infinity; NaN -> missing_code. Returns whether any was NaN.
  bool (*codes)(const double* x, index_t n, const double* padded_thresholds, int steps, std::uint8_t missing_code,
                std::uint8_t* code);
};

MLWRIGHT_SIMD_TABLES(BinningTable, binning)

}  // namespace mlwright::simd
