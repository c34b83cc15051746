// One tree of BART over a block of rows: what the move of one tree changes, and what the next one asks for.
//
// Residuals are integers, so sums depend on no order. A block is whole kBartRows rows: rows beyond the data have slot 255,
// which is no leaf's, and residual 0. Sums of a block fit in 32 bits a lane: the caller keeps blocks that short.
#pragma once

#include <cstdint>

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

inline constexpr int kBartRows = 64;
inline constexpr int kBartSlots = 256;

// Rows in slots a and b by a rule: left if (code + shift) mod 256 <= bound.
struct BartSplit {
  const std::uint8_t* code = nullptr;
  std::uint8_t shift = 0, bound = 0, a = 0, b = 0;
};

// Leaf values before and after; the entries from n_slots to 31, and the last one, are zero.
struct BartValues {
  alignas(64) std::int32_t before[kBartSlots];
  alignas(64) std::int32_t after[kBartSlots];
  int n_slots;
};

struct BartSums {
  std::int64_t total[kBartSlots];     // of residuals by slot, times weights where there are any
  std::int64_t left[2], weight[2];    // of the rows in a, and in b, that go left

  void clear(int n_slots) noexcept {
    for (int k = 0; k < n_slots; ++k) total[k] = 0;
    total[kBartSlots - 1] = 0;
    for (int k = 0; k < 2; ++k) left[k] = weight[k] = 0;
  }
};

struct BartTable {
  // residual[r] += before[slot[r]] - after[slot'[r]]. Returns the largest |residual|.
  // values: slot' = slot. split: rows of a and b go left to a, right to b. merge: those of b to a, those of `last` to b.
  std::int32_t (*values)(std::int32_t* residual, const std::uint8_t* slot, index_t rows, const BartValues& values);
  std::int32_t (*split)(std::int32_t* residual, std::uint8_t* slot, index_t rows, const BartValues& values, const BartSplit& split);
  std::int32_t (*merge)(std::int32_t* residual, std::uint8_t* slot, index_t rows, const BartValues& values, int a, int b, int last);
  // Adds to `sums`. split.code null: there is no rule to try. weight null: ones.
  void (*sums)(const std::int32_t* residual, const std::int64_t* weight, const std::uint8_t* slot, index_t rows, int n_slots,
               const BartSplit& split, BartSums& sums);
};

MLWRIGHT_SIMD_TABLES(BartTable, bart)

}  // namespace mlwright::simd
