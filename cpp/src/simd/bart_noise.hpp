// BART whose rows have noise of their own: what a row's variance makes of it, and sums of that by the leaves of a tree.
//
// Numbers of rows are rounded to integers at the scale that the caller gives, so that sums depend on no order; they must stay
// below 2^50 a row before weights, and below 2^63 in sum. Blocks are as in simd/bart.hpp.
#pragma once

#include "simd/bart.hpp"

namespace mlwright::simd {

struct BartSpread {
  std::int64_t value[kBartSlots], product[kBartSlots];             // by slot
  std::int64_t left_value[2], left_product[2], left_weight[2];     // of the rows in a, and in b, that go left

  void clear(int n_slots) noexcept {
    for (int k = 0; k < n_slots; ++k) value[k] = product[k] = 0;
    for (int k = 0; k < 2; ++k) left_value[k] = left_product[k] = left_weight[k] = 0;
  }
};

struct BartNoiseTable {
  // out[r] = weight[r] round(scale exp(unit log_precision[r])); round(weight[r] scale exp(...)) unless `whole`.
  void (*precisions)(const std::int32_t* log_precision, const std::int64_t* weight, index_t rows, double unit, double scale, bool whole,
                     std::int64_t* out);
  // z = (unit residual[r])^2 exp(log_unit log_precision[r]): out[r] = weight[r] round(scale z). Returns the largest z.
  double (*squares)(const std::int32_t* residual, const std::int32_t* log_precision, const std::int64_t* weight, index_t rows,
                    double unit, double log_unit, double scale, std::int64_t* out);
  // Adds to `spread` values, and values times residuals (null: no products). weight null: ones. split as in BartTable::sums.
  void (*spread)(const std::int64_t* value, const std::int32_t* residual, const std::int64_t* weight, const std::uint8_t* slot,
                 index_t rows, int n_slots, const BartSplit& split, BartSpread& spread);
};

MLWRIGHT_SIMD_TABLES(BartNoiseTable, bart_noise)

}  // namespace mlwright::simd
