#include "simd/boosting.hpp"

#include "mlwright/loss/multinomial.hpp"
#include "simd/lane_math.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

using loss::Multinomial;

// Runs body(i, lanes) over eights; `lanes` is 8 but for the rest.
template <class Body>
MLWRIGHT_LANE void for_eights(index_t n, Body body) {
  index_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, kLanes);
  if (i < n) body(i, static_cast<int>(n - i));
}

MLWRIGHT_LANE f64x8 take(const double* p, int lanes, double fill = 0.0) {
  return lanes == kLanes ? load(p) : load_first(p, lanes, fill);
}
MLWRIGHT_LANE void put(double* p, int lanes, f64x8 v) {
  if (lanes == kLanes) store(p, v);
  else store_first(p, lanes, v);
}

template <class Value>
MLWRIGHT_LANE double weighted_sum(const double* weight, index_t n, Value value) {
  f64x8 sum = splat(0.0);
  for_eights(n, [&](index_t i, int lanes) {
    f64x8 v = value(i, lanes);
    if (weight != nullptr) v *= take(weight + i, lanes);
    if (lanes < kLanes) {
      double kept[kLanes] = {};
      store_first(kept, lanes, v);
      v = load(kept);
    }
    sum += v;
  });
  return sum_lanes(sum);
}

double weighted_total(const double* value, const double* weight, index_t n) {
  return weighted_sum(weight, n, [&](index_t i, int lanes) { return take(value + i, lanes); });
}

void softmax(const double* raw, index_t stride, int n_classes, index_t n, double* mu, double* log_sum) {
  for_eights(n, [&](index_t i, int lanes) {
    f64x8 largest = take(raw + i, lanes);
    for (int k = 1; k < n_classes; ++k) {
      const f64x8 eta = take(raw + k * stride + i, lanes);
      largest = select(eta > largest, eta, largest);
    }
    f64x8 sum = splat(0.0);
    for (int k = 0; k < n_classes; ++k) {
      const f64x8 e = exp(take(raw + k * stride + i, lanes) - largest);
      put(mu + k * stride + i, lanes, e);
      sum += e;
    }
    for (int k = 0; k < n_classes; ++k) put(mu + k * stride + i, lanes, take(mu + k * stride + i, lanes) / sum);
    if (log_sum != nullptr) put(log_sum + i, lanes, largest + log(sum));
  });
}

void multinomial(const double* y, const double* mu, double k, index_t n, double* g, double* h) {
  for_eights(n, [&](index_t i, int lanes) {
    const f64x8 p = take(mu + i, lanes);
    put(g + i, lanes, Multinomial::grad(select(take(y + i, lanes) == k, splat(1.0), splat(0.0)), p));
    put(h + i, lanes, Multinomial::hess(p));
  });
}

void multiply(double* x, const double* weight, index_t n) {
  for_eights(n, [&](index_t i, int lanes) { put(x + i, lanes, take(x + i, lanes) * take(weight + i, lanes)); });
}

// Over registers of the hardware's width: largest and smallest know no order of lanes.
struct Largest {
  f64xn g = {}, h = {}, least_h, not_a_number = {};  // comparisons drop NaN: it is carried by x * 0

  inline __attribute__((always_inline)) void add_g(f64xn v) {
    const f64xn a = v < f64xn{} ? -v : v;
    g = a > g ? a : g;
    not_a_number += a * 0.0;
  }
  inline __attribute__((always_inline)) void add_h(f64xn v) {
    h = v > h ? v : h;
    least_h = v < least_h ? v : least_h;
    not_a_number += v * 0.0;
  }
};

GradientRange range(const double* g, const double* h, index_t n) {
  constexpr int kWidth = sizeof(f64xn) / sizeof(double);
  Largest most;
  most.least_h = f64xn{} + (h == nullptr ? 1.0 : __builtin_inf());
  const auto take_n = [](const double* p, index_t lanes) {
    f64xn v = f64xn{} + p[0];  // in lanes past the end, too
    if (lanes >= kWidth) std::memcpy(&v, p, sizeof v);
    else std::memcpy(&v, p, static_cast<unsigned>(lanes) * sizeof(double));
    return v;
  };
  for (index_t i = 0; i < n; i += kWidth) {
    most.add_g(take_n(g + i, n - i));
    if (h != nullptr) most.add_h(take_n(h + i, n - i));
  }
  GradientRange all{0.0, h == nullptr ? 1.0 : 0.0, most.least_h[0]};
  double poison = 0;
  for (int lane = 0; lane < kWidth; ++lane) {
    all.largest_g = most.g[lane] > all.largest_g ? most.g[lane] : all.largest_g;
    all.largest_h = most.h[lane] > all.largest_h ? most.h[lane] : all.largest_h;
    all.smallest_h = most.least_h[lane] < all.smallest_h ? most.least_h[lane] : all.smallest_h;
    poison += most.not_a_number[lane];
  }
  if (poison != poison) all.largest_g = poison;
  return all;
}

// Nearest integer, ties to even, of |x| < 2^51: adding 1.5 * 2^52 leaves the integer in the low bits.
MLWRIGHT_LANE i64x8 to_integer(f64x8 x) {
  constexpr double kShift = 6755399441055744.0;
  const f64x8 shifted = x + kShift;
  i64x8 bits, base;
  const f64x8 origin = splat(kShift);
  std::memcpy(&bits, &shifted, sizeof bits);
  std::memcpy(&base, &origin, sizeof base);
  return bits - base;
}

MLWRIGHT_LANE std::int64_t sum_lanes(i64x8 v) {
  std::int64_t sum = 0;
  for (int lane = 0; lane < kLanes; ++lane) sum += v[lane];
  return sum;
}

// 1 where a < b, by the sign of the difference: gcc 12 compares vectors wider than the hardware's one element at a time.
MLWRIGHT_LANE i64x8 less(i64x8 a, std::int64_t b) { return (i64x8)((u64x8)(a - b) >> 63); }
MLWRIGHT_LANE i64x8 magnitude(i64x8 x) {
  const i64x8 sign = -(i64x8)((u64x8)x >> 63);
  return (x ^ sign) - sign;
}

// A row's integers, and what they add to the totals. Lanes past the end are zeros.
struct RoundedRows {
  i64x8 g, h, count, small;
};

MLWRIGHT_LANE RoundedRows round_rows(const double* g, const double* h, index_t i, int lanes, const Rounding& rounding) {
  RoundedRows rows;
  rows.g = to_integer(take(g + i, lanes) * rounding.g_scale);
  rows.h = to_integer((h == nullptr ? splat(1.0) : take(h + i, lanes)) * rounding.h_scale);
  rows.count = splat(std::int64_t{1});
  rows.small = less(magnitude(rows.g), rounding.small_g) | less(rows.h, rounding.small_h);
  if (lanes == kLanes) return rows;
  for (int lane = lanes; lane < kLanes; ++lane) rows.h[lane] = rows.count[lane] = rows.small[lane] = 0;
  return rows;
}

struct Totals {
  i64x8 g = {}, h = {}, count = {}, small = {};

  inline __attribute__((always_inline)) void add(const RoundedRows& rows) {
    g += rows.g;
    h += rows.h;
    count += rows.count;
    small += rows.small;
  }
  inline __attribute__((always_inline)) RoundedTotals sums(int count_bits) const {
    return {sum_lanes(g), static_cast<std::uint64_t>(sum_lanes(h)) << count_bits | static_cast<std::uint64_t>(sum_lanes(count)),
            sum_lanes(small)};
  }
};

RoundedTotals round_to_entries(const double* g, const double* h, const double* repeats, index_t n, const Rounding& rounding,
                               PackedEntry* out) {
  Totals totals;
  for_eights(n, [&](index_t i, int lanes) {
    RoundedRows rows = round_rows(g, h, i, lanes, rounding);
    if (repeats != nullptr) {
      rows.count = to_integer(take(repeats + i, lanes));
      rows.g *= rows.count;
      rows.h *= rows.count;
      rows.small *= rows.count;
    }
    totals.add(rows);
    const u64x8 hn = ((u64x8)rows.h << rounding.count_bits) | (u64x8)rows.count;
    for (int lane = 0; lane < lanes; ++lane) out[i + lane] = {rows.g[lane], hn[lane]};
  });
  return totals.sums(rounding.count_bits);
}

typedef std::uint32_t u32x8 __attribute__((vector_size(32)));

RoundedTotals round_to_packed(const double* g, const double* h, index_t n, const Rounding& rounding, int g_shift,
                              std::uint32_t* out) {
  Totals totals;
  for_eights(n, [&](index_t i, int lanes) {
    const RoundedRows rows = round_rows(g, h, i, lanes, rounding);
    totals.add(rows);
    u64x8 v = (u64x8)rows.g << g_shift;
    if (h != nullptr) v |= (u64x8)rows.h;
    const u32x8 low = __builtin_convertvector(v, u32x8);
    std::memcpy(out + i, &low, static_cast<unsigned>(lanes) * sizeof *out);
  });
  return totals.sums(rounding.count_bits);
}

// A value's two integers, as ExactScale::add() finds them.
struct TwoIntegers {
  i64x8 high, low;
};
MLWRIGHT_LANE TwoIntegers two_integers(f64x8 value, double first, double second) {
  constexpr double kShift = 6755399441055744.0;
  const f64x8 scaled = value * first;
  const f64x8 nearest = (scaled + kShift) - kShift;
  return {to_integer(scaled), to_integer((scaled - nearest) * second)};
}

template <bool kVaries, bool kRepeats>
void sum_by_leaf_as(const double* g, const double* h, const double* repeats, const std::uint32_t* leaf, index_t n,
                    const LeafScales& scales, LeafTotals* totals) {
  for_eights(n, [&](index_t i, int lanes) {
    TwoIntegers of_g = two_integers(take(g + i, lanes), scales.g, scales.second);
    TwoIntegers of_h{splat(std::int64_t{1}), i64x8{}};
    if (kVaries) of_h = two_integers(take(h + i, lanes), scales.h, scales.second);
    if (kRepeats) {
      const i64x8 count = to_integer(take(repeats + i, lanes));
      of_g.high *= count;
      of_g.low *= count;
      of_h.high *= count;
      of_h.low *= count;
    }
    for (int lane = 0; lane < lanes; ++lane) {
      LeafTotals& total = totals[leaf[i + lane]];
      total.g_high += of_g.high[lane];
      total.g_low += of_g.low[lane];
      total.h_high += of_h.high[lane];
      if (kVaries) total.h_low += of_h.low[lane];
    }
  });
}

void sum_by_leaf(const double* g, const double* h, const double* repeats, const std::uint32_t* leaf, index_t n,
                 const LeafScales& scales, LeafTotals* totals) {
  const auto sum = repeats == nullptr ? (h == nullptr ? sum_by_leaf_as<false, false> : sum_by_leaf_as<true, false>)
                                      : (h == nullptr ? sum_by_leaf_as<false, true> : sum_by_leaf_as<true, true>);
  sum(g, h, repeats, leaf, n, scales, totals);
}

void add_by_leaf(const double* value, const std::uint32_t* leaf, index_t n, double* raw) {
  for (index_t i = 0; i < n; ++i) raw[i] += value[leaf[i]];
}

}  // namespace

extern const BoostingTable boosting_table;
const BoostingTable boosting_table = {softmax, multinomial, weighted_total, multiply, range, round_to_entries,
                                      round_to_packed, sum_by_leaf, add_by_leaf};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
