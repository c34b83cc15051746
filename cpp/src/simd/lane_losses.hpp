// How the losses of loss/ meet arrays: their M for one register of lanes, and the walk over an array's registers. For the
// kernels in simd/kernels/ only.
#pragma once

#include "mlwright/base/elementary.hpp"
#include "mlwright/base/view.hpp"
#include "simd/lane_math.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr index_t kWidth = sizeof(f64xn) / sizeof(double);

// M of loss/verbs.hpp for one register of lanes.
struct LaneMath {
  MLWRIGHT_LANE f64xn exp(f64xn x) { return MLWRIGHT_SIMD_NAMESPACE::exp(x); }
  MLWRIGHT_LANE f64xn log(f64xn x) { return MLWRIGHT_SIMD_NAMESPACE::log(x); }
  static double log(double x) { return mlwright::log(x); }  // of a parameter
  MLWRIGHT_LANE f64xn expit(f64xn x) { return MLWRIGHT_SIMD_NAMESPACE::expit(x); }
  MLWRIGHT_LANE f64xn softplus(f64xn x) { return MLWRIGHT_SIMD_NAMESPACE::softplus(x); }
  MLWRIGHT_LANE f64xn select(i64xn mask, f64xn yes, f64xn no) { return MLWRIGHT_SIMD_NAMESPACE::select(mask, yes, no); }
};

MLWRIGHT_LANE f64xn take(const double* p, index_t lanes) {
  f64xn v = f64xn{} + 1.0;
  if (lanes == kWidth) std::memcpy(&v, p, sizeof v);
  else std::memcpy(&v, p, static_cast<std::size_t>(lanes) * sizeof(double));
  return v;
}
MLWRIGHT_LANE void put(double* p, index_t lanes, f64xn v) {
  if (lanes == kWidth) std::memcpy(p, &v, sizeof v);
  else std::memcpy(p, &v, static_cast<std::size_t>(lanes) * sizeof(double));
}

// body(i, lanes) for every register of lanes; `lanes` is kWidth but for the rest.
template <class Body>
MLWRIGHT_LANE void for_registers(index_t n, Body body) {
  index_t i = 0;
  for (; i + kWidth <= n; i += kWidth) body(i, kWidth);
  if (i < n) body(i, n - i);
}

}  // namespace
}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
