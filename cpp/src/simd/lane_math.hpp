// Elementary functions on lanes, for the kernels in simd/kernels/: exp, log, log1p, expit, softplus and softplus_expit of
// an f64x8, of the instruction set's own vector f64xn, and of a double, all with the same bits. Formulas, error bounds and
// domain are in base/elementary_body.hpp.
//
// The functions work at the instruction set's own width: one value's dozen live registers times four SSE vectors would
// spill, and gcc 12 compares vectors wider than the hardware's one element at a time.
#pragma once

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {

MLWRIGHT_LANE u64xn bits(f64xn x) { return reinterpret_cast<u64xn>(x); }
MLWRIGHT_LANE f64xn from_bits(u64xn u) { return reinterpret_cast<f64xn>(u); }
#if !MLWRIGHT_NATIVE_IS_WIDEST
MLWRIGHT_LANE f64xn select(i64xn mask, f64xn yes, f64xn no) { return mask ? yes : no; }
#endif

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE

#define MLWRIGHT_ELEMENTARY_NAMESPACE simd::MLWRIGHT_SIMD_NAMESPACE
#include "base/elementary_body.hpp"
#undef MLWRIGHT_ELEMENTARY_NAMESPACE

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {

#if !MLWRIGHT_NATIVE_IS_WIDEST
MLWRIGHT_LANE f64x8 exp(f64x8 x) { return by_parts(x, [](f64xn v) { return exp(v); }); }
MLWRIGHT_LANE f64x8 log(f64x8 x) { return by_parts(x, [](f64xn v) { return log(v); }); }
MLWRIGHT_LANE f64x8 log1p(f64x8 x) { return by_parts(x, [](f64xn v) { return log1p(v); }); }
MLWRIGHT_LANE f64x8 expit(f64x8 x) { return by_parts(x, [](f64xn v) { return expit(v); }); }
MLWRIGHT_LANE f64x8 softplus(f64x8 x) { return by_parts(x, [](f64xn v) { return softplus(v); }); }
MLWRIGHT_LANE SoftplusExpit<f64x8> softplus_expit(f64x8 x) {
  SoftplusExpit<f64x8> both;
  both.softplus = by_parts(x, [&both, i = 0](f64xn v) mutable {
    const SoftplusExpit<f64xn> part = softplus_expit(v);
    std::memcpy(reinterpret_cast<char*>(&both.expit) + sizeof(f64xn) * static_cast<unsigned>(i++), &part.expit, sizeof part.expit);
    return part.softplus;
  });
  return both;
}
#endif

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
