// Numbers made of the content of rows: see mlwright/solver/row_keys.hpp. Sums of 64-bit integers, so no order counts.
#pragma once

#include <cstdint>

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

// The finaliser of SplitMix64: a bijection that spreads every bit. For vectors of such integers too.
template <class U>
static inline __attribute__((always_inline)) U spread_bits(U x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// key[r] += sum over the entries of row r of spread_bits(bits of the value, widened to double ^ (column + 1) 0x9E3779B97F4A7C15),
// zeros of either sign left out.
template <class T, class Index>
using SparseRowKeys = void (*)(const T* value, const Index* column, const Index* start, index_t rows, std::uint64_t* key);
template <class T>
using DenseRowKeys = void (*)(const T* x, index_t columns, index_t rows, std::uint64_t* key);

struct RowKeysTable {
  SparseRowKeys<double, std::int32_t> sparse64_32;
  SparseRowKeys<double, std::int64_t> sparse64_64;
  SparseRowKeys<float, std::int32_t> sparse32_32;
  SparseRowKeys<float, std::int64_t> sparse32_64;
  DenseRowKeys<double> dense64;
  DenseRowKeys<float> dense32;
};

MLWRIGHT_SIMD_TABLES(RowKeysTable, row_keys)

}  // namespace mlwright::simd
