// Dot products of columns with several vectors: one load of the column serves them all.
#pragma once

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

struct ProductsTable {
  // out[j * out_stride + k] += x_j . r_k for `columns` columns of n numbers, x_stride apart, and `vectors` vectors, r_stride apart.
  // Eight lanes along n, combined at the end: one order for every number of columns and vectors.
  void (*add)(const double* x, index_t x_stride, index_t columns, const double* r, index_t r_stride, index_t vectors, index_t n,
              double* out, index_t out_stride);
};

MLWRIGHT_SIMD_TABLES(ProductsTable, products)

}  // namespace mlwright::simd
