// Elementary functions of whole arrays: out[i] = f(x[i]) for i < n; out may be x. Domain, formulas and error bounds are in
// base/elementary_body.hpp; on lanes inside another kernel: simd/lane_math.hpp; of one double: mlwright/base/elementary.hpp.
// Cost, ns a value in cache on one Zen 4 core:      v2    v3    v4    NumPy or SciPy there
//                                        exp      3.7   1.6   1.2   0.9 (with FMA, which promised bits forbid)
//                                        log      3.8   1.8   1.2   0.9
//                                        log1p    5.2   2.4   1.4   1.2
//                                        expit    4.4   2.1   1.5   5.5
//                                        softplus 10.7  5.3   3.3   9.4
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
