#include "simd/glm.hpp"

#include "mlwright/loss/glm_list.hpp"
#include "simd/lane_losses.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

double weighted_total(const double* values, const double* w, index_t n) {
  f64x8 sum = splat(0.0);
  for (index_t i = 0; i < n; i += kLanes) {
    const int lanes = static_cast<int>(n - i < kLanes ? n - i : kLanes);
    f64x8 v = lanes == kLanes ? load(values + i) : load_first(values + i, lanes, 0.0);
    if (w != nullptr) v *= lanes == kLanes ? load(w + i) : load_first(w + i, lanes, 0.0);
    sum += v;
  }
  return sum_lanes(sum);
}

// Rows of weight zero count nothing, also where their loss is infinite.
MLWRIGHT_LANE f64xn weigh_lanes(f64xn v, f64xn w) { return select(w == 0.0, f64xn{}, v * w); }

template <class Loss>
double evaluate(double parameter, const double* y, const double* eta, const double* w, index_t n, double* g, double* h) {
  const Loss loss = loss::make<Loss>(parameter);
  double values[kBlockRows];
  if (g == nullptr && h == nullptr) {  // half the work of most losses
    for_registers(n, [&](index_t i, index_t lanes) {
      const f64xn value = loss.template value<LaneMath>(take(y + i, lanes), take(eta + i, lanes));
      put(values + i, lanes, w == nullptr ? value : weigh_lanes(value, take(w + i, lanes)));
    });
    return weighted_total(values, nullptr, n);
  }
  for_registers(n, [&](index_t i, index_t lanes) {
    const f64xn target = take(y + i, lanes), score = take(eta + i, lanes);
    f64xn value = loss.template value<LaneMath>(target, score);
    loss::GradHess<f64xn> both = loss.template grad_hess<LaneMath>(target, score);
    if (w != nullptr) {
      const f64xn weight = take(w + i, lanes);
      value = weigh_lanes(value, weight);
      both = {weigh_lanes(both.g, weight), weigh_lanes(both.h, weight)};
    }
    put(values + i, lanes, value);
    if (g != nullptr) put(g + i, lanes, both.g);
    if (h != nullptr) put(h + i, lanes, both.h);
  });
  return weighted_total(values, nullptr, n);
}

// Rows at a time and vectors of classes that stay in registers; a row's sum runs over the columns in order.
template <int kRows, int kVectors>
MLWRIGHT_LANE void project_tile(const double* block, const double* coef, index_t groups, index_t width, double* out) {
  constexpr index_t kStream = kBlockRows * kGroup;
  constexpr int kParts = kVectors * 8 / kWidth;
  f64xn sum[kRows][kParts] = {};
  for (index_t g = 0; g < groups; ++g) {
    const double* x = block + g * kStream;
    const double* c = coef + g * kGroup * width;
    for (int j = 0; j < kGroup; ++j) {
      f64xn b[kParts];
#pragma GCC unroll 8
      for (int v = 0; v < kParts; ++v) b[v] = take(c + j * width + v * kWidth, kWidth);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const double a = x[r * kGroup + j];
#pragma GCC unroll 8
        for (int v = 0; v < kParts; ++v) sum[r][v] += b[v] * a;
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < kParts; ++v) put(out + r * width + v * kWidth, kWidth, sum[r][v]);
}

template <int kVectors>
void project_strip(const double* block, const double* coef, index_t rows, index_t groups, index_t width, double* out) {
#if defined(__AVX512F__)
  constexpr int kRows = 8;
#elif defined(__AVX2__)
  constexpr int kRows = kVectors == 1 ? 4 : 2;
#else
  constexpr int kRows = kVectors == 1 ? 2 : 1;
#endif
  index_t r = 0;
  for (; r + kRows <= rows; r += kRows) project_tile<kRows, kVectors>(block + r * kGroup, coef, groups, width, out + r * width);
  for (; r < rows; ++r) project_tile<1, kVectors>(block + r * kGroup, coef, groups, width, out + r * width);
}

void project_many(const double* block, const double* coef, index_t rows, index_t groups, index_t vectors, double* out) {
  const index_t width = 8 * vectors;
  index_t v = 0;
  for (; v + 2 <= vectors; v += 2) project_strip<2>(block, coef + v * 8, rows, groups, width, out + v * 8);
  if (v < vectors) project_strip<1>(block, coef + v * 8, rows, groups, width, out + v * 8);
}

double softmax_residual(double* eta, const double* y, const double* w, index_t rows, index_t k, index_t vectors) {
  const index_t width = 8 * vectors;
  double values[kBlockRows];
  for (index_t r = 0; r < rows; ++r) {
    double* row = eta + r * width;
    double most = row[0];
    for (index_t j = 1; j < k; ++j) most = row[j] > most ? row[j] : most;
    const auto own = static_cast<index_t>(y[r]);
    const double own_eta = row[own] - most;
    for (index_t j = k; j < width; ++j) row[j] = -__builtin_inf();
    for (index_t i = 0; i < width; i += kWidth) put(row + i, kWidth, exp(take(row + i, kWidth) - most));
    double eight[8] = {};
    for (index_t i = 0; i < width; ++i) eight[i % 8] += row[i];
    const double total = ((eight[0] + eight[4]) + (eight[2] + eight[6])) + ((eight[1] + eight[5]) + (eight[3] + eight[7]));
    const double weight = w == nullptr ? 1.0 : w[r], share = weight / total;
    for (index_t i = 0; i < width; i += kWidth) put(row + i, kWidth, take(row + i, kWidth) * share);
    row[own] -= weight;
    values[r] = weight == 0.0 ? 0.0 : weight * (mlwright::log(total) - own_eta);
  }
  return weighted_total(values, nullptr, rows);
}

}  // namespace

extern const GlmTable glm_table;
#define MLWRIGHT_KERNELS_OF(name, Type) {evaluate<loss::Type>},
const GlmTable glm_table = {{MLWRIGHT_GLM_LOSSES(MLWRIGHT_KERNELS_OF)}, project_many, softmax_residual};
#undef MLWRIGHT_KERNELS_OF

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
