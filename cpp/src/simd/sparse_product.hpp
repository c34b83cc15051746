// A sparse row times a dense matrix.
#pragma once

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

struct SparseProductTable {
  // out[k] = sum over entries e of value[e] * b[row[e] * width + k], k < width, which is a multiple of 8; entries in order.
  // row[e] can be read for e < known, which is entries or more: what comes next is fetched early.
  void (*times)(const double* value, const index_t* row, index_t entries, index_t known, const double* b, index_t width, double* out);
};

MLWRIGHT_SIMD_TABLES(SparseProductTable, sparse_product)

}  // namespace mlwright::simd
