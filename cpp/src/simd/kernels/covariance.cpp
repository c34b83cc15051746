#include "simd/covariance.hpp"

#include "simd/lane_math.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr index_t kWidth = sizeof(f64xn) / sizeof(double);
constexpr int kParts = kLanes / kWidth;
// Farther apart nothing correlates; below it no product of a zero with a distance is NaN.
constexpr double kFarthest = 1e300;
constexpr double kRoot3 = 1.7320508075688772, kRoot5 = 2.23606797749979;

MLWRIGHT_LANE f64xn take(const double* p) {
  f64xn v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
MLWRIGHT_LANE void put(double* p, f64xn v) { std::memcpy(p, &v, sizeof v); }
MLWRIGHT_LANE f64xn fill(double x) { return f64xn{} + x; }
MLWRIGHT_LANE f64xn root(f64xn v) {
  double a[kWidth];
  std::memcpy(a, &v, sizeof v);
  for (double& x : a) x = __builtin_sqrt(x);
  std::memcpy(&v, a, sizeof v);
  return v;
}
MLWRIGHT_LANE f64xn near(f64xn s) { return select(s < kFarthest, s, fill(kFarthest)); }

void square(const double* x, double c, index_t n, double* out) {
  for (index_t i = 0; i < n; i += kWidth) {
    const f64xn z = take(x + i) - c;
    put(out + i, z * z);
  }
}

void add_square(const double* x, double c, index_t n, double* total) {
  for (index_t i = 0; i < n; i += kWidth) {
    const f64xn z = take(x + i) - c;
    put(total + i, take(total + i) + z * z);
  }
}

void add_scaled(const double* x, double scale, index_t n, double* total) {
  for (index_t i = 0; i < n; i += kWidth) put(total + i, take(total + i) + take(x + i) * scale);
}

void multiply(const double* x, const double* y, index_t n, double* out) {
  for (index_t i = 0; i < n; i += kWidth) put(out + i, take(x + i) * take(y + i));
}

void add(const double* x, const double* y, index_t n, double* out) {
  for (index_t i = 0; i < n; i += kWidth) put(out + i, take(x + i) + take(y + i));
}

void rbf(const double* s, index_t n, double* value, double* slope) {
  for (index_t i = 0; i < n; i += kWidth) {
    const f64xn k = exp(-0.5 * near(take(s + i)));
    put(value + i, k);
    if (slope != nullptr) put(slope + i, k);
  }
}

void matern12(const double* s, index_t n, double* value, double* slope) {
  for (index_t i = 0; i < n; i += kWidth) {
    const f64xn r = root(near(take(s + i))), k = exp(-r);
    put(value + i, k);
    // No derivative where two points are one: scikit-learn's answer is 0.
    if (slope != nullptr) put(slope + i, select(r > 0.0, k / select(r > 0.0, r, fill(1.0)), f64xn{}));
  }
}

void matern32(const double* s, index_t n, double* value, double* slope) {
  for (index_t i = 0; i < n; i += kWidth) {
    const f64xn r = kRoot3 * root(near(take(s + i))), e = exp(-r);
    put(value + i, (1.0 + r) * e);
    if (slope != nullptr) put(slope + i, 3.0 * e);
  }
}

void matern52(const double* s, index_t n, double* value, double* slope) {
  for (index_t i = 0; i < n; i += kWidth) {
    const f64xn r = kRoot5 * root(near(take(s + i))), e = exp(-r);
    put(value + i, (1.0 + r + r * r * (1.0 / 3.0)) * e);
    if (slope != nullptr) put(slope + i, (5.0 / 3.0) * (1.0 + r) * e);
  }
}

void rational(const double* s, double alpha, index_t n, double* value, double* slope, double* alpha_slope) {
  const double half = 0.5 / alpha;
  for (index_t i = 0; i < n; i += kWidth) {
    const f64xn part = near(take(s + i)) * half, base = 1.0 + part, log_base = log1p(part), k = exp(-alpha * log_base);
    put(value + i, k);
    if (slope == nullptr) continue;
    put(slope + i, k / base);
    put(alpha_slope + i, alpha * k * (part / base - log_base));
  }
}

constexpr index_t row_of(index_t i) { return i * (i + 1) / 2 * kLanes; }

bool cholesky_lanes(double* a, index_t n, double least) {
  bool definite = true;
  for (index_t part = 0; part < kLanes; part += kWidth)
    for (index_t i = 0; i < n; ++i) {
      double* const row = a + row_of(i) + part;
      for (index_t j = 0; j <= i; ++j) {
        const double* const other = a + row_of(j) + part;
        const f64xn before = take(row + j * kLanes);
        f64xn rest = before;
        for (index_t k = 0; k < j; ++k) rest -= take(row + k * kLanes) * take(other + k * kLanes);
        if (j < i) {
          put(row + j * kLanes, rest / take(other + j * kLanes));
          continue;
        }
        const f64xn floor = least * before;
        for (index_t lane = 0; lane < kWidth; ++lane) definite &= rest[lane] > floor[lane];
        put(row + j * kLanes, root(rest));
      }
    }
  return definite;
}

void solve_lanes(const double* factor, index_t n, double* x) {
  for (index_t part = 0; part < kLanes; part += kWidth) {
    double* const to = x + part;
    for (index_t i = 0; i < n; ++i) {
      const double* const row = factor + row_of(i) + part;
      f64xn rest = take(to + i * kLanes);
      for (index_t k = 0; k < i; ++k) rest -= take(row + k * kLanes) * take(to + k * kLanes);
      put(to + i * kLanes, rest / take(row + i * kLanes));
    }
    for (index_t i = n - 1; i >= 0; --i) {
      const double* const row = factor + row_of(i) + part;
      const f64xn done = take(to + i * kLanes) / take(row + i * kLanes);
      put(to + i * kLanes, done);
      for (index_t k = 0; k < i; ++k) put(to + k * kLanes, take(to + k * kLanes) - take(row + k * kLanes) * done);
    }
  }
}

// Element i in lane i % 8, whatever the width of a register.
struct LaneSum {
  f64xn part[kParts] = {};
  MLWRIGHT_LANE double total(const LaneSum& sum) {
    f64x8 all;
    std::memcpy(&all, sum.part, sizeof all);
    return sum_lanes(all);
  }
};

double sum(const double* x, index_t n) {
  LaneSum total;
  for (index_t i = 0; i < n; i += kLanes)
#pragma GCC unroll 4
    for (int p = 0; p < kParts; ++p) total.part[p] += take(x + i + p * kWidth);
  return LaneSum::total(total);
}

double dot(const double* x, const double* y, index_t n) {
  LaneSum total;
  for (index_t i = 0; i < n; i += kLanes)
#pragma GCC unroll 4
    for (int p = 0; p < kParts; ++p) total.part[p] += take(x + i + p * kWidth) * take(y + i + p * kWidth);
  return LaneSum::total(total);
}

}  // namespace

extern const CovarianceTable covariance_table;
const CovarianceTable covariance_table = {square,   add_square, add_scaled, multiply, add, rbf, matern12,
                                          matern32, matern52,   rational,   cholesky_lanes, solve_lanes, sum, dot};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
