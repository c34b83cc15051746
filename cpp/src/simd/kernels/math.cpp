#include "simd/math.hpp"

#include "simd/lane_math.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

template <class F>
MLWRIGHT_LANE void map(const double* x, double* out, index_t n, F f) {
  constexpr index_t kWidth = sizeof(f64xn) / sizeof(double);
  index_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    f64xn v;
    std::memcpy(&v, x + i, sizeof v);
    v = f(v);
    std::memcpy(out + i, &v, sizeof v);
  }
  if (i < n) {
    const std::size_t rest = static_cast<std::size_t>(n - i) * sizeof(double);
    f64xn v = f64xn{} + 1.0;
    std::memcpy(&v, x + i, rest);
    v = f(v);
    std::memcpy(out + i, &v, rest);
  }
}

void map_exp(const double* x, double* out, index_t n) { map(x, out, n, [](f64xn v) { return exp(v); }); }
void map_log(const double* x, double* out, index_t n) { map(x, out, n, [](f64xn v) { return log(v); }); }
void map_log1p(const double* x, double* out, index_t n) { map(x, out, n, [](f64xn v) { return log1p(v); }); }
void map_expit(const double* x, double* out, index_t n) { map(x, out, n, [](f64xn v) { return expit(v); }); }
void map_softplus(const double* x, double* out, index_t n) { map(x, out, n, [](f64xn v) { return softplus(v); }); }

}  // namespace

extern const MathTable math_table;
const MathTable math_table = {map_exp, map_log, map_log1p, map_expit, map_softplus};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
