// Kernels of generalized linear models over one block of rows: loss, gradient and Hessian factors in one go, and products
// of a packed block (simd/gram.hpp) with several columns at once.
#pragma once

#include "mlwright/base/view.hpp"
#include "simd/gram.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

struct GlmLoss {
  // Sum over n <= kBlockRows rows of w l(y, eta); g = w l', h = w l'' where they are not null; w may be null. Eight lanes
  // at every level, so the order of the sum is one and the same.
  double (*evaluate)(double parameter, const double* y, const double* eta, const double* w, index_t n, double* g, double* h);
};

struct GlmTable {
  GlmLoss of[24];  // in the order of MLWRIGHT_GLM_LOSSES

  // out[r, k] = sum_j block[j, r] coef[j, k] for k < 8 * vectors; coef has one row of 8 * vectors numbers a column (padding
  // columns zero), out one row of 8 * vectors numbers a row.
  void (*project_many)(const double* block, const double* coef, index_t rows, index_t groups, index_t vectors, double* out);

  // eta (rows x 8 * vectors, of which k are classes) to the residuals w (softmax - [y = k]) in place, with the padding
  // zero; returns the sum of w (log sum exp eta - eta_y). w may be null; y holds class numbers.
  double (*softmax_residual)(double* eta, const double* y, const double* w, index_t rows, index_t k, index_t vectors);
};

MLWRIGHT_SIMD_TABLES(GlmTable, glm)

}  // namespace mlwright::simd
