// Elementary functions of whole arrays: out[i] = f(x[i]) for i < n; out may be x. Domain, formulas and error bounds are in
// base/elementary_body.hpp; on lanes inside another kernel: simd/lane_math.hpp; of one double: mlwright/base/elementary.hpp.
#pragma once

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

using MapFunction = void (*)(const double* x, double* out, index_t n);

struct MathTable {
  MapFunction exp;
  MapFunction log;
  MapFunction log1p;
  MapFunction expit;
  MapFunction softplus;
};

MLWRIGHT_SIMD_TABLES(MathTable, math)

}  // namespace mlwright::simd
