#include "simd/reduce.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

// Two accumulators of eight lanes hide the latency of the addition; their order is part of the result.
double sum(const double* x, index_t n) {
  f64x8 a = splat(0.0), b = splat(0.0);
  index_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    a += load(x + i);
    b += load(x + i + kLanes);
  }
  for (; i + kLanes <= n; i += kLanes) a += load(x + i);
  if (i < n) b += load_first(x + i, static_cast<int>(n - i), 0.0);
  return sum_lanes(a + b);
}

double dot(const double* x, const double* y, index_t n) {
  f64x8 a = splat(0.0), b = splat(0.0);
  index_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    a += load(x + i) * load(y + i);
    b += load(x + i + kLanes) * load(y + i + kLanes);
  }
  for (; i + kLanes <= n; i += kLanes) a += load(x + i) * load(y + i);
  if (i < n) b += load_first(x + i, static_cast<int>(n - i), 0.0) * load_first(y + i, static_cast<int>(n - i), 0.0);
  return sum_lanes(a + b);
}

}  // namespace

extern const ReduceTable reduce_table;
const ReduceTable reduce_table = {sum, dot};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
