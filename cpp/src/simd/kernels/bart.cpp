#include "simd/bart.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

MLWRIGHT_LANE bool goes_left(const BartSplit& s, index_t r) { return static_cast<std::uint8_t>(s.code[r] + s.shift) <= s.bound; }
MLWRIGHT_LANE std::int32_t larger(std::int32_t largest, std::int32_t x) {
  const std::int32_t size = x < 0 ? -x : x;
  return size > largest ? size : largest;
}

// Row by row: the one way below AVX2, and there of trees with many leaves.
template <class Next>
MLWRIGHT_LANE std::int32_t apply_each(std::int32_t* residual, std::uint8_t* slot, index_t rows, const BartValues& v, Next next) {
  std::int32_t largest = 0;
  for (index_t r = 0; r < rows; ++r) {
    const std::uint8_t from = slot[r], to = next(from, r);
    slot[r] = to;
    residual[r] += v.before[from] - v.after[to];
    largest = larger(largest, residual[r]);
  }
  return largest;
}

std::int32_t values_each(std::int32_t* residual, const std::uint8_t* slot, index_t rows, const BartValues& v) {
  std::int32_t change[kBartSlots], largest = 0;
  for (int k = 0; k < v.n_slots; ++k) change[k] = v.before[k] - v.after[k];
  change[kBartSlots - 1] = 0;
  for (index_t r = 0; r < rows; ++r) {
    residual[r] += change[slot[r]];
    largest = larger(largest, residual[r]);
  }
  return largest;
}

std::int32_t split_each(std::int32_t* residual, std::uint8_t* slot, index_t rows, const BartValues& v, const BartSplit& s) {
  return apply_each(residual, slot, rows, v, [&](std::uint8_t from, index_t r) {
    return from == s.a || from == s.b ? (goes_left(s, r) ? s.a : s.b) : from;
  });
}

std::int32_t merge_each(std::int32_t* residual, std::uint8_t* slot, index_t rows, const BartValues& v, int a, int b, int last) {
  std::uint8_t to[kBartSlots];
  for (int k = 0; k < kBartSlots; ++k) to[k] = static_cast<std::uint8_t>(k);
  to[last] = static_cast<std::uint8_t>(b);
  to[b] = static_cast<std::uint8_t>(a);
  return apply_each(residual, slot, rows, v, [&](std::uint8_t from, index_t) { return to[from]; });
}

void sums_each(const std::int32_t* residual, const std::int64_t* weight, const std::uint8_t* slot, index_t rows, const BartSplit& s,
               BartSums& out) {
  for (index_t r = 0; r < rows; ++r) {
    const std::int64_t w = weight == nullptr ? 1 : weight[r], value = w * residual[r];
    out.total[slot[r]] += value;
    if (s.code == nullptr || !goes_left(s, r)) continue;
    if (slot[r] != s.a && slot[r] != s.b) continue;
    const int side = slot[r] == s.a ? 0 : 1;
    out.left[side] += value;
    out.weight[side] += w;
  }
}

#if defined(__AVX2__)
// Eight residuals a register. Values of up to 15 leaves are looked up in one or two registers; the entry that rows beyond the
// data come to, the last one, is a zero.
constexpr int kFewSlots = 7, kTableSlots = 15;

MLWRIGHT_LANE __m256i all(std::uint8_t v) { return _mm256_set1_epi8(static_cast<char>(v)); }
MLWRIGHT_LANE __m256i load_bytes(const std::uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
MLWRIGHT_LANE __m256i load_words(const std::int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
MLWRIGHT_LANE __m256i eight(const std::uint8_t* p) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
MLWRIGHT_LANE __m256i left_rows(const BartSplit& s, index_t r) {
  const __m256i code = _mm256_add_epi8(load_bytes(s.code + r), all(s.shift));
  return _mm256_cmpeq_epi8(_mm256_min_epu8(code, all(s.bound)), code);
}

template <bool kWide>
struct Values {
  __m256i low, high;
  static inline __attribute__((always_inline)) Values of_table(const std::int32_t* v) { return {load_words(v), kWide ? load_words(v + 8) : __m256i{}}; }
  __attribute__((always_inline)) inline __m256i at(__m256i slots) const {
    const __m256i few = _mm256_permutevar8x32_epi32(low, slots);
    if (!kWide) return few;
    const __m256i more = _mm256_permutevar8x32_epi32(high, slots), upper = _mm256_slli_epi32(slots, 28);  // bit 3 to the sign
    return _mm256_castps_si256(
        _mm256_blendv_ps(_mm256_castsi256_ps(few), _mm256_castsi256_ps(more), _mm256_castsi256_ps(upper)));
  }
};

MLWRIGHT_LANE __m256i add_to(std::int32_t* residual, __m256i change, __m256i largest) {
  const __m256i sum = _mm256_add_epi32(load_words(residual), change);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(residual), sum);
  return _mm256_max_epi32(largest, _mm256_abs_epi32(sum));
}
MLWRIGHT_LANE std::int32_t largest_of(__m256i lanes) {
  std::int32_t each[8], most = 0;
  std::memcpy(each, &lanes, sizeof each);
  for (const std::int32_t x : each) most = x > most ? x : most;
  return most;
}

template <bool kWide>
MLWRIGHT_LANE std::int32_t values_by_table(std::int32_t* residual, const std::uint8_t* slot, index_t rows, const BartValues& v) {
  alignas(32) std::int32_t change[16];
  for (int k = 0; k < 16; ++k) change[k] = v.before[k] - v.after[k];
  const auto by = Values<kWide>::of_table(change);
  __m256i largest = _mm256_setzero_si256();
#pragma GCC unroll 4
  for (index_t r = 0; r < rows; r += 8) largest = add_to(residual + r, by.at(eight(slot + r)), largest);
  return largest_of(largest);
}

// next(slots of 32 rows, first row): the slots that they move to.
template <bool kWide, class Next>
MLWRIGHT_LANE std::int32_t moves_by_table(std::int32_t* residual, std::uint8_t* slot, index_t rows, const BartValues& v, Next next) {
  const auto before = Values<kWide>::of_table(v.before), after = Values<kWide>::of_table(v.after);
  __m256i largest = _mm256_setzero_si256();
  for (index_t r = 0; r < rows; r += 32) {
    const __m256i to = next(load_bytes(slot + r), r);
    std::uint8_t moved[32];
    std::memcpy(moved, &to, sizeof moved);
#pragma GCC unroll 4
    for (int k = 0; k < 32; k += 8) {
      const __m256i change = _mm256_sub_epi32(before.at(eight(slot + r + k)), after.at(eight(moved + k)));
      largest = add_to(residual + r + k, change, largest);
    }
    std::memcpy(slot + r, moved, sizeof moved);
  }
  return largest_of(largest);
}

std::int32_t values(std::int32_t* residual, const std::uint8_t* slot, index_t rows, const BartValues& v) {
  if (v.n_slots <= kFewSlots) return values_by_table<false>(residual, slot, rows, v);
  if (v.n_slots <= kTableSlots) return values_by_table<true>(residual, slot, rows, v);
  return values_each(residual, slot, rows, v);
}

std::int32_t split(std::int32_t* residual, std::uint8_t* slot, index_t rows, const BartValues& v, const BartSplit& s) {
  const __m256i a = all(s.a), b = all(s.b);
  const auto next = [&](__m256i from, index_t r) __attribute__((always_inline)) {
    const __m256i in = _mm256_or_si256(_mm256_cmpeq_epi8(from, a), _mm256_cmpeq_epi8(from, b));
    return _mm256_blendv_epi8(from, _mm256_blendv_epi8(b, a, left_rows(s, r)), in);
  };
  if (v.n_slots <= kFewSlots) return moves_by_table<false>(residual, slot, rows, v, next);
  if (v.n_slots <= kTableSlots) return moves_by_table<true>(residual, slot, rows, v, next);
  return split_each(residual, slot, rows, v, s);
}

std::int32_t merge(std::int32_t* residual, std::uint8_t* slot, index_t rows, const BartValues& v, int a, int b, int last) {
  const __m256i into = all(static_cast<std::uint8_t>(a)), freed = all(static_cast<std::uint8_t>(b));
  const __m256i moved = all(static_cast<std::uint8_t>(last));
  const auto next = [&](__m256i from, index_t) __attribute__((always_inline)) {
    const __m256i to = _mm256_blendv_epi8(from, freed, _mm256_cmpeq_epi8(from, moved));
    return _mm256_blendv_epi8(to, into, _mm256_cmpeq_epi8(from, freed));
  };
  if (v.n_slots <= kFewSlots) return moves_by_table<false>(residual, slot, rows, v, next);
  if (v.n_slots <= kTableSlots) return moves_by_table<true>(residual, slot, rows, v, next);
  return merge_each(residual, slot, rows, v, a, b, last);
}

MLWRIGHT_LANE std::int64_t sum_of(__m256i lanes) {
  std::int32_t each[8];
  std::memcpy(each, &lanes, sizeof each);
  std::int64_t sum = 0;
  for (const std::int32_t x : each) sum += x;
  return sum;
}

// The sum of the last leaf is what is left of the sum of all. kTries: how many of a and b hold rows.
template <int kSlots, int kTries>
void sums_of(const std::int32_t* residual, const std::uint8_t* slot, index_t rows, const BartSplit& s, BartSums& out) {
  __m256i sum[kSlots], left[2], whole = _mm256_setzero_si256();
  for (__m256i& x : sum) x = _mm256_setzero_si256();
  for (__m256i& x : left) x = _mm256_setzero_si256();
  const std::uint8_t of[2] = {s.a, s.b};
  std::int64_t weight[2] = {0, 0};
  for (index_t r = 0; r < rows; r += 32) {
    std::uint8_t goes[2][32];
    if constexpr (kTries > 0) {
      const __m256i by_rule = left_rows(s, r), at = load_bytes(slot + r);
#pragma GCC unroll 2
      for (int t = 0; t < kTries; ++t) {
        const __m256i mask = _mm256_and_si256(by_rule, _mm256_cmpeq_epi8(at, all(of[t])));
        std::memcpy(goes[t], &mask, sizeof mask);
        weight[t] += __builtin_popcount(static_cast<unsigned>(_mm256_movemask_epi8(mask)));
      }
    }
#pragma GCC unroll 4
    for (int k = 0; k < 32; k += 8) {
      const __m256i value = load_words(residual + r + k), at = eight(slot + r + k);
      whole = _mm256_add_epi32(whole, value);
#pragma GCC unroll 8
      for (int l = 0; l < kSlots - 1; ++l)
        sum[l] = _mm256_add_epi32(sum[l], _mm256_and_si256(value, _mm256_cmpeq_epi32(at, _mm256_set1_epi32(l))));
#pragma GCC unroll 2
      for (int t = 0; t < kTries; ++t) {
        const __m256i mask = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(goes[t] + k)));
        left[t] = _mm256_add_epi32(left[t], _mm256_and_si256(value, mask));
      }
    }
  }
  std::int64_t rest = sum_of(whole);
  for (int l = 0; l < kSlots - 1; ++l) {
    const std::int64_t of_slot = sum_of(sum[l]);
    out.total[l] += of_slot;
    rest -= of_slot;
  }
  out.total[kSlots - 1] += rest;
  for (int t = 0; t < kTries; ++t) {
    out.left[t] += sum_of(left[t]);
    out.weight[t] += weight[t];
  }
}

template <int kSlots>
void sums_tried(const std::int32_t* residual, const std::uint8_t* slot, index_t rows, const BartSplit& s, BartSums& out) {
  if (s.code == nullptr) sums_of<kSlots, 0>(residual, slot, rows, s, out);
  else if (s.b >= kSlots) sums_of<kSlots, 1>(residual, slot, rows, s, out);  // a leaf that is to be
  else sums_of<kSlots, 2>(residual, slot, rows, s, out);
}

void sums(const std::int32_t* residual, const std::int64_t* weight, const std::uint8_t* slot, index_t rows, int n_slots,
          const BartSplit& s, BartSums& out) {
  using Kernel = void (*)(const std::int32_t*, const std::uint8_t*, index_t, const BartSplit&, BartSums&);
  static constexpr Kernel kernels[] = {sums_tried<1>, sums_tried<2>, sums_tried<3>, sums_tried<4>,
                                       sums_tried<5>, sums_tried<6>, sums_tried<7>, sums_tried<8>};
  if (weight != nullptr || n_slots > 8) return sums_each(residual, weight, slot, rows, s, out);
  kernels[n_slots - 1](residual, slot, rows, s, out);
}

#else
std::int32_t values(std::int32_t* residual, const std::uint8_t* slot, index_t rows, const BartValues& v) {
  return values_each(residual, slot, rows, v);
}
std::int32_t split(std::int32_t* residual, std::uint8_t* slot, index_t rows, const BartValues& v, const BartSplit& s) {
  return split_each(residual, slot, rows, v, s);
}
std::int32_t merge(std::int32_t* residual, std::uint8_t* slot, index_t rows, const BartValues& v, int a, int b, int last) {
  return merge_each(residual, slot, rows, v, a, b, last);
}
void sums(const std::int32_t* residual, const std::int64_t* weight, const std::uint8_t* slot, index_t rows, int,
          const BartSplit& s, BartSums& out) {
  sums_each(residual, weight, slot, rows, s, out);
}
#endif

}  // namespace

extern const BartTable bart_table;
const BartTable bart_table = {values, split, merge, sums};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
