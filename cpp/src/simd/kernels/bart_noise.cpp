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

// Where rows are summed: at their slot, those that the rule on trial sends left at places of their own, a and the one after.
template <class Place>
MLWRIGHT_LANE void find_places(const std::uint8_t* slot, const BartSplit& s, index_t rows, Place a, Place* place) {
  for (index_t i = 0; i < rows; ++i) place[i] = slot[i];
  if (s.code == nullptr) return;
  const auto b = static_cast<Place>(a + 1);
  for (index_t i = 0; i < rows; ++i) {
    const bool left = static_cast<std::uint8_t>(s.code[i] + s.shift) <= s.bound;
    const Place at_a = slot[i] == s.a ? a : place[i], at = slot[i] == s.b ? b : at_a;
    place[i] = left ? at : place[i];
  }
}

constexpr int kPlaces = kBartSlots + 2;
constexpr index_t kRowsAtOnce = 512;

template <bool kProducts, class Place>
void spread_at(const std::int64_t* value, const std::int32_t* residual, const std::int64_t* weight, const std::uint8_t* slot,
               index_t rows, int n_slots, const BartSplit& split, Place a, BartSpread& out) {
  std::int64_t sum[kWays][kPlaces], product[kWays][kPlaces];
  for (int w = 0; w < kWays; ++w) {
    for (int k = 0; k < n_slots; ++k) sum[w][k] = product[w][k] = 0;
    sum[w][a] = sum[w][a + 1] = sum[w][kBartSlots - 1] = 0;  // the last: of rows beyond the data
    product[w][a] = product[w][a + 1] = product[w][kBartSlots - 1] = 0;
  }
  Place place[kRowsAtOnce];
  for (index_t begin = 0; begin < rows; begin += kRowsAtOnce) {
    const index_t n = rows - begin < kRowsAtOnce ? rows - begin : kRowsAtOnce;
    BartSplit s = split;
    if (s.code != nullptr) s.code += begin;
    find_places(slot + begin, s, n, a, place);
    for (index_t r = 0; r < n; r += kWays)
#pragma GCC unroll 2
      for (int w = 0; w < kWays; ++w) {
        const std::int64_t v = value[begin + r + w];
        sum[w][place[r + w]] += v;
        if (kProducts) product[w][place[r + w]] += v * residual[begin + r + w];
      }
    if (s.code == nullptr) continue;
    for (int t = 0; t < 2; ++t) {
      std::int64_t left = 0;
      for (index_t i = 0; i < n; ++i) left += place[i] == a + t ? (weight == nullptr ? 1 : weight[begin + i]) : 0;
      out.left_weight[t] += left;
    }
  }
  for (int w = 0; w < kWays; ++w) {
    for (int k = 0; k < n_slots; ++k) {
      out.value[k] += sum[w][k];
      if (kProducts) out.product[k] += product[w][k];
    }
    for (int t = 0; t < 2; ++t) {
      const int of = t == 0 ? split.a : split.b;
      out.left_value[t] += sum[w][a + t];
      out.value[of] += sum[w][a + t];
      if (!kProducts) continue;
      out.left_product[t] += product[w][a + t];
      out.product[of] += product[w][a + t];
    }
  }
}

template <bool kProducts>
void spread_of(const std::int64_t* value, const std::int32_t* residual, const std::int64_t* weight, const std::uint8_t* slot,
               index_t rows, int n_slots, const BartSplit& s, BartSpread& out) {
  if (n_slots < kBartSlots - 2)
    spread_at<kProducts, std::uint8_t>(value, residual, weight, slot, rows, n_slots, s, static_cast<std::uint8_t>(n_slots), out);
  else
    spread_at<kProducts, std::uint16_t>(value, residual, weight, slot, rows, n_slots, s, kBartSlots, out);
}

void spread(const std::int64_t* value, const std::int32_t* residual, const std::int64_t* weight, const std::uint8_t* slot, index_t rows,
            int n_slots, const BartSplit& s, BartSpread& out) {
  if (residual != nullptr) spread_of<true>(value, residual, weight, slot, rows, n_slots, s, out);
  else spread_of<false>(value, residual, weight, slot, rows, n_slots, s, out);
}

}  // namespace

extern const BartNoiseTable bart_noise_table;
const BartNoiseTable bart_noise_table = {precisions, squares, spread};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
