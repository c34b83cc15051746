#include "simd/losses.hpp"

#include "mlwright/loss/list.hpp"
#include "simd/lane_losses.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

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
