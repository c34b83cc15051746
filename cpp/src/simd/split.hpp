// Gains of cuts, and the best cut of one feature.
#pragma once

#include <cstdint>

#include "mlwright/base/view.hpp"
#include "simd/boosting.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

struct CutRules {
  int count_bits;         // of hn = h << count_bits | count
  double g_unit, h_unit;  // what integers are multiplied by
  double l1, l2, min_hessian;
  std::int64_t min_count;
};

struct BestCut {
  int at;  // -1: none
  double gain;
};

struct SplitTable {
  // Of cuts that leave g[i], hn[i] on the left; -1 where a side is too small. Arrays are padded to a multiple of 8; the
  // padding gets some value.
  void (*gains)(const std::int64_t* g, const std::uint64_t* hn, int n, PackedEntry all, const CutRules& rules, double* gain);

  // Cut i leaves `start` and codes 0 .. i on the left of a node with the sums `all`. Its gain is
  // T(G_L)^2/(H_L+l2) + T(G_R)^2/(H_R+l2), where T moves G towards 0 by l1, and to 0 at most; no gain where a side is too
  // small. The first cut of [first, end) with the largest gain, if that is above `least`. end <= 256.
  BestCut (*best_cut)(const PackedEntry* codes, int first, int end, PackedEntry start, PackedEntry all, const CutRules& rules,
                      double least);
};

MLWRIGHT_SIMD_TABLES(SplitTable, split)

}  // namespace mlwright::simd
