#include "simd/vector.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

void axpy(double a, const double* x, index_t n, double* y) {
  const f64x8 factor = splat(a);
  index_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, load(y + i) + factor * load(x + i));
  for (; i < n; ++i) y[i] += a * x[i];
}

}  // namespace

extern const VectorTable vector_table;
const VectorTable vector_table = {axpy};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
