// From packed sums to wide ones.
#pragma once

#include <cstdint>

#include "mlwright/base/view.hpp"
#include "simd/boosting.hpp"

namespace mlwright::simd {

struct HistogramTable {
  // Unpacks n sums {g | h: h_bits | count: n_bits} into `wide`, adding to what is there unless `fresh`, and leaves zeros.
  // hn = h << count_bits | count. h_bits 0: there is no such field, and hn = count * hn_of_one.
  void (*flush)(std::uint64_t* packed, index_t n, int h_bits, int n_bits, int count_bits, std::uint64_t hn_of_one, bool fresh,
                PackedEntry* wide);
  // to[i] += from[i], to[i] -= from[i]
  void (*add)(PackedEntry* to, const PackedEntry* from, index_t n);
  void (*subtract)(PackedEntry* to, const PackedEntry* from, index_t n);
};

MLWRIGHT_SIMD_TABLES(HistogramTable, histogram)

}  // namespace mlwright::simd
