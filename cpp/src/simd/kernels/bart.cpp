#include "simd/bart.hpp"

#if defined(__AVX512BW__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12's own intrinsics start from undefined vectors
#pragma GCC diagnostic ignored "-Wuninitialized"
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

// Row by row: the one way below AVX-512, and there of trees with many leaves.
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
  for (int k = 0; k < kBartSlots; ++k) change[k] = v.before[k] - v.after[k];
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

#if defined(__AVX512BW__)
constexpr int kTableSlots = 31;  // two registers of values, and a zero for rows beyond the data

MLWRIGHT_LANE __m512i all(std::uint8_t v) { return _mm512_set1_epi8(static_cast<char>(v)); }
MLWRIGHT_LANE __mmask64 left_rows(const BartSplit& s, index_t r) {
  const __m512i code = _mm512_add_epi8(_mm512_loadu_si512(s.code + r), all(s.shift));
  return _mm512_cmple_epu8_mask(code, all(s.bound));
}

struct Values {
  __m512i low, high;
  explicit Values(const std::int32_t* v) : low(_mm512_loadu_si512(v)), high(_mm512_loadu_si512(v + 16)) {}
  __m512i of(__m512i slots) const { return _mm512_permutex2var_epi32(low, slots, high); }
};
template <int kPart>
MLWRIGHT_LANE __m512i part(__m512i slots) {
  return _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(slots, kPart));
}
MLWRIGHT_LANE __m512i add_to(std::int32_t* residual, __m512i change, __m512i largest) {
  const __m512i sum = _mm512_add_epi32(_mm512_loadu_si512(residual), change);
  _mm512_storeu_si512(residual, sum);
  return _mm512_max_epi32(largest, _mm512_abs_epi32(sum));
}

template <int kPart>
MLWRIGHT_LANE __m512i apply_part(std::int32_t* residual, __m512i from, __m512i to, Values before, Values after, __m512i largest) {
  const __m512i change = _mm512_sub_epi32(before.of(part<kPart>(from)), after.of(part<kPart>(to)));
  return add_to(residual + 16 * kPart, change, largest);
}

template <class Next>
MLWRIGHT_LANE std::int32_t apply_by_table(std::int32_t* residual, std::uint8_t* slot, index_t rows, const BartValues& v, Next next) {
  const Values before(v.before), after(v.after);
  __m512i largest = _mm512_setzero_si512();
  for (index_t r = 0; r < rows; r += kBartRows) {
    const __m512i from = _mm512_loadu_si512(slot + r), to = next(from, r);
    _mm512_storeu_si512(slot + r, to);
    largest = apply_part<0>(residual + r, from, to, before, after, largest);
    largest = apply_part<1>(residual + r, from, to, before, after, largest);
    largest = apply_part<2>(residual + r, from, to, before, after, largest);
    largest = apply_part<3>(residual + r, from, to, before, after, largest);
  }
  return _mm512_reduce_max_epi32(largest);
}

std::int32_t values(std::int32_t* residual, const std::uint8_t* slot, index_t rows, const BartValues& v) {
  if (v.n_slots > kTableSlots) return values_each(residual, slot, rows, v);
  alignas(64) std::int32_t change[32];
  for (int k = 0; k < 32; ++k) change[k] = v.before[k] - v.after[k];
  const Values by(change);
  __m512i largest = _mm512_setzero_si512();
  for (index_t r = 0; r < rows; r += kBartRows) {
    const __m512i at = _mm512_loadu_si512(slot + r);
    largest = add_to(residual + r, by.of(part<0>(at)), largest);
    largest = add_to(residual + r + 16, by.of(part<1>(at)), largest);
    largest = add_to(residual + r + 32, by.of(part<2>(at)), largest);
    largest = add_to(residual + r + 48, by.of(part<3>(at)), largest);
  }
  return _mm512_reduce_max_epi32(largest);
}

std::int32_t split(std::int32_t* residual, std::uint8_t* slot, index_t rows, const BartValues& v, const BartSplit& s) {
  if (v.n_slots > kTableSlots) return split_each(residual, slot, rows, v, s);
  const __m512i a = all(s.a), b = all(s.b);
  return apply_by_table(residual, slot, rows, v, [&](__m512i from, index_t r) {
    const __mmask64 in = _mm512_cmpeq_epi8_mask(from, a) | _mm512_cmpeq_epi8_mask(from, b), left = left_rows(s, r);
    return _mm512_mask_mov_epi8(_mm512_mask_mov_epi8(from, in & left, a), in & ~left, b);
  });
}

std::int32_t merge(std::int32_t* residual, std::uint8_t* slot, index_t rows, const BartValues& v, int a, int b, int last) {
  if (v.n_slots > kTableSlots) return merge_each(residual, slot, rows, v, a, b, last);
  const __m512i into = all(static_cast<std::uint8_t>(a)), freed = all(static_cast<std::uint8_t>(b));
  const __m512i moved = all(static_cast<std::uint8_t>(last));
  return apply_by_table(residual, slot, rows, v, [&](__m512i from, index_t) {
    const __m512i to = _mm512_mask_mov_epi8(from, _mm512_cmpeq_epi8_mask(from, moved), freed);
    return _mm512_mask_mov_epi8(to, _mm512_cmpeq_epi8_mask(from, freed), into);
  });
}

MLWRIGHT_LANE std::int64_t sum_of(__m512i lanes) {
  const __m512i low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(lanes));
  const __m512i high = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(lanes, 1));
  return _mm512_reduce_add_epi64(_mm512_add_epi64(low, high));
}
MLWRIGHT_LANE __m512i add_rows(__m512i sum, __mmask64 rows, const __m512i* values) {
  sum = _mm512_mask_add_epi32(sum, static_cast<__mmask16>(rows), sum, values[0]);
  sum = _mm512_mask_add_epi32(sum, static_cast<__mmask16>(rows >> 16), sum, values[1]);
  sum = _mm512_mask_add_epi32(sum, static_cast<__mmask16>(rows >> 32), sum, values[2]);
  return _mm512_mask_add_epi32(sum, static_cast<__mmask16>(rows >> 48), sum, values[3]);
}

// The sum of the last leaf is what is left of the sum of all.
template <int kSlots, bool kTries>
void sums_of(const std::int32_t* residual, const std::uint8_t* slot, index_t rows, const BartSplit& s, BartSums& out) {
  __m512i sum[kSlots], left[2] = {}, ones = _mm512_setzero_si512();
  for (__m512i& x : sum) x = _mm512_setzero_si512();
  const __m512i a = all(s.a), b = all(s.b);
  std::int64_t weight[2] = {0, 0};
  for (index_t r = 0; r < rows; r += kBartRows) {
    __m512i values[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) values[k] = _mm512_loadu_si512(residual + r + 16 * k);
    const __m512i at = _mm512_loadu_si512(slot + r);
#pragma GCC unroll 8
    for (int k = 0; k < kSlots - 1; ++k)
      sum[k] = add_rows(sum[k], _mm512_cmpeq_epi8_mask(at, all(static_cast<std::uint8_t>(k))), values);
    ones = _mm512_add_epi32(_mm512_add_epi32(ones, _mm512_add_epi32(values[0], values[1])), _mm512_add_epi32(values[2], values[3]));
    if constexpr (kTries) {
      const __mmask64 by_rule = left_rows(s, r);
      const __mmask64 of[2] = {by_rule & _mm512_cmpeq_epi8_mask(at, a), by_rule & _mm512_cmpeq_epi8_mask(at, b)};
#pragma GCC unroll 2
      for (int k = 0; k < 2; ++k) {
        left[k] = add_rows(left[k], of[k], values);
        weight[k] += __builtin_popcountll(of[k]);
      }
    }
  }
  std::int64_t rest = sum_of(ones);
  for (int k = 0; k < kSlots - 1; ++k) {
    const std::int64_t of_slot = sum_of(sum[k]);
    out.total[k] += of_slot;
    rest -= of_slot;
  }
  out.total[kSlots - 1] += rest;
  if constexpr (kTries)
    for (int k = 0; k < 2; ++k) {
      out.left[k] += sum_of(left[k]);
      out.weight[k] += weight[k];
    }
}

template <int kSlots>
void sums_tried(const std::int32_t* residual, const std::uint8_t* slot, index_t rows, const BartSplit& s, BartSums& out) {
  if (s.code != nullptr) sums_of<kSlots, true>(residual, slot, rows, s, out);
  else sums_of<kSlots, false>(residual, slot, rows, s, out);
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
