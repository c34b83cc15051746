#include "simd/bart_noise.hpp"

#include "simd/lane_math.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr int kWidth = sizeof(f64xn) / sizeof(double);
constexpr int kWays = 2;  // sums side by side, so that rows of the same leaf do not wait for each other
typedef std::int32_t i32xn __attribute__((vector_size(sizeof(f64xn) / 2)));

MLWRIGHT_LANE f64xn as_doubles(const std::int32_t* p) {
  i32xn x;
  std::memcpy(&x, p, sizeof x);
  return __builtin_convertvector(x, f64xn);
}

// The nearest integers, of |x| < 2^51: where doubles of this size count one by one.
MLWRIGHT_LANE i64xn rounded(f64xn x) {
  const f64xn shift = f64xn{} + 0x1.8p52;
  return reinterpret_cast<i64xn>(x + shift) - reinterpret_cast<i64xn>(shift);
}

MLWRIGHT_LANE void put(i64xn x, const std::int64_t* weight, index_t r, std::int64_t* out) {
  std::memcpy(out + r, &x, sizeof x);
  if (weight == nullptr) return;
  for (int k = 0; k < kWidth; ++k) out[r + k] *= weight[r + k];
}

void precisions(const std::int32_t* log_precision, const std::int64_t* weight, index_t rows, double unit, double scale, bool whole,
                std::int64_t* out) {
  for (index_t r = 0; r < rows; r += kWidth) {
    f64xn precision = scale * exp(unit * as_doubles(log_precision + r));
    if (!whole && weight != nullptr)
      for (int k = 0; k < kWidth; ++k) precision[k] *= static_cast<double>(weight[r + k]);
    put(rounded(precision), whole ? weight : nullptr, r, out);
  }
}

double squares(const std::int32_t* residual, const std::int32_t* log_precision, const std::int64_t* weight, index_t rows, double unit,
               double log_unit, double scale, std::int64_t* out) {
  f64xn largest = {};
  for (index_t r = 0; r < rows; r += kWidth) {
    const f64xn x = unit * as_doubles(residual + r), z = x * x * exp(log_unit * as_doubles(log_precision + r));
    largest = select(z > largest, z, largest);
    put(rounded(scale * z), weight, r, out);
  }
  double most = 0;
  for (int k = 0; k < kWidth; ++k) most = largest[k] > most ? largest[k] : most;
  return most;
}

// Sums of one of the ways, of the slots that there are, and of rows beyond the data.
struct Sums {
  std::int64_t of[kBartSlots];
  void clear(int n_slots) {
    for (int k = 0; k < n_slots; ++k) of[k] = 0;
    of[kBartSlots - 1] = 0;
  }
};

template <bool kProducts, bool kTries>
void spread_of(const std::int64_t* value, const std::int32_t* residual, const std::int64_t* weight, const std::uint8_t* slot,
               index_t rows, int n_slots, const BartSplit& s, BartSpread& out) {
  Sums sum[kWays], product[kWays];
  for (int w = 0; w < kWays; ++w) {
    sum[w].clear(n_slots);
    if (kProducts) product[w].clear(n_slots);
  }
  std::int64_t left_value[2] = {}, left_product[2] = {}, left_weight[2] = {};
  for (index_t r = 0; r < rows; r += kWays)
#pragma GCC unroll 2
    for (int w = 0; w < kWays; ++w) {
      const index_t i = r + w;
      const std::uint8_t at = slot[i];
      const std::int64_t v = value[i], p = kProducts ? v * residual[i] : 0;
      sum[w].of[at] += v;
      if (kProducts) product[w].of[at] += p;
      if (!kTries) continue;
      const bool left = static_cast<std::uint8_t>(s.code[i] + s.shift) <= s.bound;
      const std::int64_t count = weight == nullptr ? 1 : weight[i];
      const std::int64_t of[2] = {-static_cast<std::int64_t>(left & (at == s.a)), -static_cast<std::int64_t>(left & (at == s.b))};
#pragma GCC unroll 2
      for (int t = 0; t < 2; ++t) {
        left_value[t] += v & of[t];
        left_product[t] += p & of[t];
        left_weight[t] += count & of[t];
      }
    }
  for (int w = 0; w < kWays; ++w)
    for (int k = 0; k < n_slots; ++k) {
      out.value[k] += sum[w].of[k];
      if (kProducts) out.product[k] += product[w].of[k];
    }
  for (int t = 0; t < 2; ++t) {
    out.left_value[t] += left_value[t];
    out.left_product[t] += left_product[t];
    out.left_weight[t] += left_weight[t];
  }
}

void spread(const std::int64_t* value, const std::int32_t* residual, const std::int64_t* weight, const std::uint8_t* slot, index_t rows,
            int n_slots, const BartSplit& s, BartSpread& out) {
  const bool tries = s.code != nullptr;
  if (residual != nullptr)
    tries ? spread_of<true, true>(value, residual, weight, slot, rows, n_slots, s, out)
          : spread_of<true, false>(value, residual, weight, slot, rows, n_slots, s, out);
  else
    tries ? spread_of<false, true>(value, residual, weight, slot, rows, n_slots, s, out)
          : spread_of<false, false>(value, residual, weight, slot, rows, n_slots, s, out);
}

}  // namespace

extern const BartNoiseTable bart_noise_table;
const BartNoiseTable bart_noise_table = {precisions, squares, spread};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
