// Gains of all cuts of one feature.
#pragma once

#include <cstdint>

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

struct SplitTable {
  // Cut i leaves sums g[i] (integers of unit g_unit) and hn[i] (h << count_bits | count, unit h_unit) on the left of a
  // node with sums g_all, hn_all. gain[i] = T(G_L)^2/(H_L+l2) + T(G_R)^2/(H_R+l2), or -1 where a side is too small; T moves G towards 0 by l1, and to 0 at most. Arrays are
  // padded to a multiple of 8; the padding gets some value.
  void (*gains)(const std::int64_t* g, const std::uint64_t* hn, int n, std::int64_t g_all, std::uint64_t hn_all,
                int count_bits, double g_unit, double h_unit, double l1, double l2, double min_hessian, std::int64_t min_count,
                double* gain);
};

MLWRIGHT_SIMD_TABLES(SplitTable, split)

}  // namespace mlwright::simd
