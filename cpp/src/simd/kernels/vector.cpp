#include "simd/vector.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr index_t kWidth = sizeof(f64xn) / sizeof(double), kStep = 2 * kWidth;

// In registers of the instruction set: gcc 12 takes wider vectors through memory.
MLWRIGHT_LANE void add(f64xn factor, const double* x, double* y) {
  f64xn from, to;
  std::memcpy(&from, x, sizeof from);
  std::memcpy(&to, y, sizeof to);
  to += factor * from;
  std::memcpy(y, &to, sizeof to);
}

void axpy(double a, const double* x, index_t n, double* y) {
  const f64xn factor = f64xn{} + a;
  index_t i = 0;
  for (; i + kStep <= n; i += kStep) {
    add(factor, x + i, y + i);
    add(factor, x + i + kWidth, y + i + kWidth);
  }
  for (; i < n; ++i) y[i] += a * x[i];
}

}  // namespace

extern const VectorTable vector_table;
const VectorTable vector_table = {axpy};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
