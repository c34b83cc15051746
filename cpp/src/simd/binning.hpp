// Values to bin codes.
#pragma once

#include <cstdint>

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

// The thresholds of a column, and where among them a search begins: buckets of equal width from the first to the last
// threshold. Bucketing is monotone in x, so all thresholds of lower buckets are below x and all of higher ones above it; what
// is left to search are those of x's own bucket, most often one or two where bins are quantiles.
struct BinSearch {
  static constexpr int kBuckets = 1024;

  double thresholds[256];  // ascending, at most 255, padded with +infinity
  std::uint8_t first[kBuckets];  // how many thresholds are in lower buckets, or fewer where the search would pass the end
  double origin, scale;          // bucket: (x - origin) * scale, cut off at both ends
  int steps;                     // halvings that find a place within any bucket
};

struct BinningTable {
  void (*prepare)(const double* thresholds, int n, BinSearch* search);
  // code[i] = #{t < x[i]}; NaN -> missing_code. Returns whether any was NaN.
  bool (*codes)(const double* x, index_t n, const BinSearch* search, std::uint8_t missing_code, std::uint8_t* code);
};

MLWRIGHT_SIMD_TABLES(BinningTable, binning)

}  // namespace mlwright::simd
