#include "simd/losses.hpp"

#include "mlwright/loss/list.hpp"
#include "simd/lane_math.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr index_t kWidth = sizeof(f64xn) / sizeof(double);

// M of loss/verbs.hpp for one register of lanes.
struct LaneMath {
  MLWRIGHT_LANE f64xn exp(f64xn x) { return MLWRIGHT_SIMD_NAMESPACE::exp(x); }
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

template <class Loss>
void grad_hess(double parameter, const double* y, const double* raw, index_t n, double* g, double* h) {
  const Loss loss = loss::make<Loss>(parameter);
  if (h == nullptr) {
    for_registers(n, [&](index_t i, index_t lanes) {
      put(g + i, lanes, loss.template grad_hess<LaneMath>(take(y + i, lanes), take(raw + i, lanes)).g);
    });
    return;
  }
  for_registers(n, [&](index_t i, index_t lanes) {
    const loss::GradHess<f64xn> both = loss.template grad_hess<LaneMath>(take(y + i, lanes), take(raw + i, lanes));
    put(g + i, lanes, both.g);
    put(h + i, lanes, both.h);
  });
}

template <class Loss>
void value(double parameter, const double* y, const double* raw, index_t n, double* out) {
  const Loss loss = loss::make<Loss>(parameter);
  for_registers(n, [&](index_t i, index_t lanes) {
    put(out + i, lanes, loss.template value<LaneMath>(take(y + i, lanes), take(raw + i, lanes)));
  });
}

// Eight lanes at every level: the order of the sum is one and the same.
template <class Loss>
double total(double parameter, const double* y, const double* raw, const double* weight, index_t n) {
  f64x8 sum = splat(0.0);
  for (index_t i = 0; i < n; i += kLanes) {
    double eight[kLanes] = {};
    const index_t lanes = n - i < kLanes ? n - i : kLanes;
    value<Loss>(parameter, y + i, raw + i, lanes, eight);
    f64x8 v = load(eight);
    if (weight != nullptr) v *= lanes == kLanes ? load(weight + i) : load_first(weight + i, static_cast<int>(lanes), 0.0);
    sum += v;
  }
  return sum_lanes(sum);
}

}  // namespace

extern const LossTable losses_table;
#define MLWRIGHT_KERNELS_OF(name, Type) {grad_hess<loss::Type>, value<loss::Type>, total<loss::Type>},
const LossTable losses_table = {{MLWRIGHT_LOSSES(MLWRIGHT_KERNELS_OF)}};
#undef MLWRIGHT_KERNELS_OF

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
