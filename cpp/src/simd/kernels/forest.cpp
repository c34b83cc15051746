#include "simd/forest.hpp"

#if defined(__SSSE3__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12's own intrinsics start from undefined vectors
#include <immintrin.h>
#endif

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

// Bytes at the width of the instruction set. gcc 12 turns a choice by a comparison of 64 bytes into element-wise code, so
// AVX-512 says it by intrinsics.
#if defined(__AVX512BW__)
constexpr int kBytes = 64, kVectors = 8;
using Bytes = __m512i;
MLWRIGHT_LANE Bytes all(std::int8_t v) { return _mm512_set1_epi8(v); }
MLWRIGHT_LANE Bytes choose_equal(Bytes a, Bytes b, Bytes yes, Bytes no) {
  return _mm512_mask_mov_epi8(no, _mm512_cmpeq_epi8_mask(a, b), yes);
}
MLWRIGHT_LANE Bytes move_right(Bytes slot, Bytes at, Bytes code, Bytes threshold, Bytes next) {
  return _mm512_mask_mov_epi8(slot, _mm512_mask_cmpgt_epi8_mask(_mm512_cmpeq_epi8_mask(slot, at), code, threshold), next);
}
#else
#if defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif
constexpr int kVectors = 4;
typedef std::int8_t Bytes __attribute__((vector_size(kBytes)));
MLWRIGHT_LANE Bytes all(std::int8_t v) { return Bytes{} + v; }
MLWRIGHT_LANE Bytes choose_equal(Bytes a, Bytes b, Bytes yes, Bytes no) { return a == b ? yes : no; }
MLWRIGHT_LANE Bytes move_right(Bytes slot, Bytes at, Bytes code, Bytes threshold, Bytes next) {
  return ((slot == at) & (code > threshold)) ? next : slot;
}
#endif

MLWRIGHT_LANE Bytes load_bytes(const void* p) {
  Bytes v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
MLWRIGHT_LANE void store_bytes(void* p, Bytes v) { __builtin_memcpy(p, &v, sizeof v); }

// Several vectors of rows at once: a node's constants are spread once for all, and their chains of steps overlap.
template <int kCount>
MLWRIGHT_LANE void slots_of(const SlotNode* nodes, int n_nodes, const std::int8_t* const* columns, int first,
                            std::uint8_t* out) {
  Bytes slot[kCount];
  for (Bytes& s : slot) s = all(0);
  for (int i = 0; i < n_nodes; ++i) {
    const SlotNode node = nodes[i];
    const std::int8_t* code = columns[node.column] + first;
    const Bytes at = all(static_cast<std::int8_t>(node.slot)), threshold = all(node.threshold);
    const Bytes next = all(static_cast<std::int8_t>(i + 1));
#pragma GCC unroll 8
    for (int v = 0; v < kCount; ++v) slot[v] = move_right(slot[v], at, load_bytes(code + v * kBytes), threshold, next);
  }
#pragma GCC unroll 8
  for (int v = 0; v < kCount; ++v) store_bytes(out + first + v * kBytes, slot[v]);
}

void slots(const SlotNode* nodes, int n_nodes, const std::int8_t* const* columns, int rows, std::uint8_t* slot) {
  int r = 0;
  for (; r + kVectors * kBytes <= rows; r += kVectors * kBytes) slots_of<kVectors>(nodes, n_nodes, columns, r, slot);
  if constexpr (kVectors * kBytes > kForestBlock) {
    for (; r + kForestBlock * 2 <= rows; r += kForestBlock * 2)
      slots_of<kForestBlock * 2 / kBytes>(nodes, n_nodes, columns, r, slot);
    for (; r < rows; r += kForestBlock) slots_of<kForestBlock / kBytes>(nodes, n_nodes, columns, r, slot);
  }
}

// Bytes of a table of sixteen at places 0 to 15; elsewhere 0. Adding 0x70 sets the upper bit of all other places, to which
// the shuffle answers with 0.
#if defined(__AVX512BW__)
MLWRIGHT_LANE Bytes repeat_table(const std::int8_t* codes) {
  return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
}
MLWRIGHT_LANE Bytes minus(Bytes a, std::int8_t b) { return _mm512_sub_epi8(a, all(b)); }
MLWRIGHT_LANE Bytes either(Bytes a, Bytes b) { return _mm512_or_si512(a, b); }
MLWRIGHT_LANE Bytes look_up_bytes(Bytes table, Bytes at) { return _mm512_shuffle_epi8(table, _mm512_adds_epu8(at, all(0x70))); }
#else
MLWRIGHT_LANE Bytes repeat_table(const std::int8_t* codes) {
  Bytes v;
  for (int i = 0; i < kBytes; i += kCodeTable) __builtin_memcpy(reinterpret_cast<std::int8_t*>(&v) + i, codes, kCodeTable);
  return v;
}
MLWRIGHT_LANE Bytes minus(Bytes a, std::int8_t b) { return a - b; }
MLWRIGHT_LANE Bytes either(Bytes a, Bytes b) { return a | b; }
#if defined(__AVX2__)
MLWRIGHT_LANE Bytes look_up_bytes(Bytes table, Bytes at) {
  return (Bytes)_mm256_shuffle_epi8((__m256i)table, _mm256_adds_epu8((__m256i)at, (__m256i)all(0x70)));
}
#elif defined(__SSSE3__)
MLWRIGHT_LANE Bytes look_up_bytes(Bytes table, Bytes at) {
  return (Bytes)_mm_shuffle_epi8((__m128i)table, _mm_adds_epu8((__m128i)at, (__m128i)all(0x70)));
}
#else
MLWRIGHT_LANE Bytes look_up_bytes(Bytes table, Bytes at) {
  Bytes v;
  for (int i = 0; i < kBytes; ++i) v[i] = at[i] >= 0 && at[i] < kCodeTable ? table[at[i]] : std::int8_t{0};
  return v;
}
#endif
#endif

template <int kTables, bool kMembers>
MLWRIGHT_LANE void tree_slots_of(const TreeStep* steps, int n_steps, const std::int8_t* codes, int n_tables,
                                 const MemberCodes* members, std::uint8_t* out) {
  constexpr int kParts = kForestBlock / kBytes;
  Bytes table[kTables], slot[kParts];
  for (int t = 0; t < kTables; ++t) table[t] = repeat_table(codes + t * kCodeTable);
  for (Bytes& s : slot) s = all(0);
  for (int i = 0; i < n_steps; ++i) {
    const TreeStep& step = steps[i];
    const Bytes next = all(static_cast<std::int8_t>(i + 1));
#pragma GCC unroll 4
    for (int p = 0; p < kParts; ++p) {
      const Bytes column = load_bytes(step.column + p * kBytes);
      Bytes code = look_up_bytes(table[0], column);
      for (int t = 1; t < (kTables == kMostCodeTables ? n_tables : kTables); ++t)
        code = either(code, look_up_bytes(table[t], minus(column, static_cast<std::int8_t>(t * kCodeTable))));
      if (kMembers && members->place[i] >= 0) code = either(code, load_bytes(members->codes + members->place[i] + p * kBytes));
      slot[p] = move_right(slot[p], load_bytes(step.slot + p * kBytes), code, load_bytes(step.threshold + p * kBytes), next);
    }
  }
  for (int p = 0; p < kParts; ++p) store_bytes(out + p * kBytes, slot[p]);
}

template <int kTables>
MLWRIGHT_LANE void tree_slots_with(const TreeStep* steps, int n_steps, const std::int8_t* codes, int n_tables,
                                   const MemberCodes* members, std::uint8_t* slot) {
  if (members == nullptr)
    tree_slots_of<kTables, false>(steps, n_steps, codes, n_tables, members, slot);
  else
    tree_slots_of<kTables, true>(steps, n_steps, codes, n_tables, members, slot);
}

void tree_slots(const TreeStep* steps, int n_steps, const std::int8_t* codes, int n_tables, const MemberCodes* members,
                std::uint8_t* slot) {
  if (n_tables == 1) return tree_slots_with<1>(steps, n_steps, codes, n_tables, members, slot);
  if (n_tables == 2) return tree_slots_with<2>(steps, n_steps, codes, n_tables, members, slot);
  tree_slots_with<kMostCodeTables>(steps, n_steps, codes, n_tables, members, slot);
}

// How many of kSearchStep numbers are below x.
#if defined(__AVX512BW__)
MLWRIGHT_LANE unsigned count_below(const float* t, float x) {
  return static_cast<unsigned>(__builtin_popcount(_mm512_cmp_ps_mask(_mm512_loadu_ps(t), _mm512_set1_ps(x), _CMP_LT_OQ)));
}
MLWRIGHT_LANE unsigned count_below(const double* t, double x) {
  const __m512d v = _mm512_set1_pd(x);
  return static_cast<unsigned>(__builtin_popcount(_mm512_cmp_pd_mask(_mm512_loadu_pd(t), v, _CMP_LT_OQ)) +
                               __builtin_popcount(_mm512_cmp_pd_mask(_mm512_loadu_pd(t + 8), v, _CMP_LT_OQ)));
}
#elif defined(__AVX2__)
MLWRIGHT_LANE unsigned below(const float* t, __m256 x) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(t), x, _CMP_LT_OQ)));
}
MLWRIGHT_LANE unsigned below(const double* t, __m256d x) {
  return static_cast<unsigned>(_mm256_movemask_pd(_mm256_cmp_pd(_mm256_loadu_pd(t), x, _CMP_LT_OQ)));
}
MLWRIGHT_LANE unsigned count_below(const float* t, float x) {
  const __m256 v = _mm256_set1_ps(x);
  return static_cast<unsigned>(__builtin_popcount(below(t, v) | below(t + 8, v) << 8));
}
MLWRIGHT_LANE unsigned count_below(const double* t, double x) {
  const __m256d v = _mm256_set1_pd(x);
  return static_cast<unsigned>(
      __builtin_popcount(below(t, v) | below(t + 4, v) << 4 | below(t + 8, v) << 8 | below(t + 12, v) << 12));
}
#else
template <class T>
MLWRIGHT_LANE unsigned count_below(const T* t, T x) {
  unsigned count = 0;
  for (int i = 0; i < kSearchStep; ++i) count += t[i] < x ? 1U : 0U;
  return count;
}
#endif

// NaN is below no threshold and above none: its code comes out as -128, which is right for the columns that send it left.
template <class T>
MLWRIGHT_LANE void row_codes(const T* x, const RowColumn* columns, int n, const T* search, T zero_bound, std::int8_t* code) {
  bool any_missing = false;
  for (int c = 0; c < n; ++c) {
    const T v = x[c];
    const T* pivots = search + columns[c].search;
    const unsigned segment = count_below(pivots, v);
    const unsigned rank = segment * kSearchStep + count_below(pivots + (segment + 1) * kSearchStep, v);
    code[c] = static_cast<std::int8_t>(static_cast<int>(rank) - 128);
    any_missing |= columns[c].zero_as_missing;
    any_missing |= v != v;
  }
  if (!any_missing) return;
  for (int c = 0; c < n; ++c) {
    const T size = x[c] < 0 ? -x[c] : x[c];
    if (x[c] != x[c] || (columns[c].zero_as_missing && size <= zero_bound)) code[c] = columns[c].missing;
  }
}
void row_codes_f64(const double* x, const RowColumn* columns, int n, const double* search, double zero_bound, std::int8_t* code) {
  row_codes(x, columns, n, search, zero_bound, code);
}
void row_codes_f32(const float* x, const RowColumn* columns, int n, const float* search, float zero_bound, std::int8_t* code) {
  row_codes(x, columns, n, search, zero_bound, code);
}

template <class T>
MLWRIGHT_LANE void add_each(const T* values, const std::uint8_t* slot, int rows, T* sum) {
  for (int r = 0; r < rows; ++r) sum[r] += values[slot[r]];
}

#if defined(__AVX512BW__)
// Up to 32 doubles are two tables of 32 half words, which one instruction reads for sixteen rows.
void add_f64(const double* values, int n_values, const std::uint8_t* slot, int rows, double* sum) {
  if (n_values > 32) return add_each(values, slot, rows, sum);
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
  const __m512i v0 = _mm512_loadu_si512(values), v1 = _mm512_loadu_si512(values + 8);
  const __m512i v2 = _mm512_loadu_si512(values + 16), v3 = _mm512_loadu_si512(values + 24);
  const __m512i low0 = _mm512_permutex2var_epi32(v0, even, v1), low1 = _mm512_permutex2var_epi32(v2, even, v3);
  const __m512i high0 = _mm512_permutex2var_epi32(v0, odd, v1), high1 = _mm512_permutex2var_epi32(v2, odd, v3);
  const __m512i first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i second = _mm512_or_si512(first, _mm512_set1_epi32(8));
  for (int r = 0; r < rows; r += 16) {
    const __m512i at = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(slot + r)));
    const __m512i low = _mm512_permutex2var_epi32(low0, at, low1), high = _mm512_permutex2var_epi32(high0, at, high1);
    const __m512d a = _mm512_castsi512_pd(_mm512_permutex2var_epi32(low, first, high));
    const __m512d b = _mm512_castsi512_pd(_mm512_permutex2var_epi32(low, second, high));
    _mm512_storeu_pd(sum + r, _mm512_add_pd(_mm512_loadu_pd(sum + r), a));
    _mm512_storeu_pd(sum + r + 8, _mm512_add_pd(_mm512_loadu_pd(sum + r + 8), b));
  }
}

void add_f32(const float* values, int n_values, const std::uint8_t* slot, int rows, float* sum) {
  if (n_values > 32) return add_each(values, slot, rows, sum);
  const __m512 v0 = _mm512_loadu_ps(values), v1 = _mm512_loadu_ps(values + 16);
  for (int r = 0; r < rows; r += 16) {
    const __m512i at = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(slot + r)));
    _mm512_storeu_ps(sum + r, _mm512_add_ps(_mm512_loadu_ps(sum + r), _mm512_permutex2var_ps(v0, at, v1)));
  }
}

// table[at] of kSize entries, from registers: one permutation a pair of vectors, then choices by the upper bits.
template <int kSize>
MLWRIGHT_LANE __m512d look_up(const double* table, __m512i at) {
  if constexpr (kSize <= 8) {
    return _mm512_permutexvar_pd(at, _mm512_loadu_pd(table));
  } else if constexpr (kSize == 16) {
    return _mm512_permutex2var_pd(_mm512_loadu_pd(table), at, _mm512_loadu_pd(table + 8));
  } else {
    return _mm512_mask_blend_pd(_mm512_test_epi64_mask(at, _mm512_set1_epi64(kSize / 2)), look_up<kSize / 2>(table, at),
                                look_up<kSize / 2>(table + kSize / 2, at));
  }
}
template <int kSize>
MLWRIGHT_LANE __m512 look_up(const float* table, __m512i at) {
  if constexpr (kSize <= 16) {
    return _mm512_permutexvar_ps(at, _mm512_loadu_ps(table));
  } else if constexpr (kSize == 32) {
    return _mm512_permutex2var_ps(_mm512_loadu_ps(table), at, _mm512_loadu_ps(table + 16));
  } else {
    return _mm512_mask_blend_ps(_mm512_test_epi32_mask(at, _mm512_set1_epi32(kSize / 2)), look_up<kSize / 2>(table, at),
                                look_up<kSize / 2>(table + kSize / 2, at));
  }
}

// Level by level: the entries of a level are one table. `at` is the place within the level.
template <int kLevel>
MLWRIGHT_LANE __m512i descend(__m512d x, const double* search, int levels, __m512i at) {
  if constexpr (kLevel < 8) {
    if (kLevel >= levels) return at;
    const __mmask8 above = _mm512_cmp_pd_mask(look_up<(1 << kLevel)>(search + (1 << kLevel), at), x, _CMP_LT_OQ);
    at = _mm512_add_epi64(at, at);
    return descend<kLevel + 1>(x, search, levels, _mm512_mask_add_epi64(at, above, at, _mm512_set1_epi64(1)));
  }
  return at;
}
template <int kLevel>
MLWRIGHT_LANE __m512i descend(__m512 x, const float* search, int levels, __m512i at) {
  if constexpr (kLevel < 8) {
    if (kLevel >= levels) return at;
    const __mmask16 above = _mm512_cmp_ps_mask(look_up<(1 << kLevel)>(search + (1 << kLevel), at), x, _CMP_LT_OQ);
    at = _mm512_add_epi32(at, at);
    return descend<kLevel + 1>(x, search, levels, _mm512_mask_add_epi32(at, above, at, _mm512_set1_epi32(1)));
  }
  return at;
}

bool codes_f64(const double* x, int rows, const double* search, int levels, double zero_bound, std::int8_t missing_code,
               std::int8_t* code) {
  unsigned any = 0;
  for (int r = 0; r < rows; r += 8) {
    const __m512d v = _mm512_loadu_pd(x + r);
    const __m512i at = _mm512_sub_epi64(descend<0>(v, search, levels, _mm512_setzero_si512()), _mm512_set1_epi64(128));
    const __mmask8 missing = _mm512_cmp_pd_mask(v, v, _CMP_UNORD_Q) |
                             _mm512_cmp_pd_mask(_mm512_abs_pd(v), _mm512_set1_pd(zero_bound), _CMP_LE_OQ);
    any |= missing;
    const __m512i shifted = _mm512_mask_mov_epi64(at, missing, _mm512_set1_epi64(missing_code));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(code + r), _mm512_cvtepi64_epi8(shifted));
  }
  return any != 0;
}

bool codes_f32(const float* x, int rows, const float* search, int levels, float zero_bound, std::int8_t missing_code,
               std::int8_t* code) {
  unsigned any = 0;
  for (int r = 0; r < rows; r += 16) {
    const __m512 v = _mm512_loadu_ps(x + r);
    const __m512i at = _mm512_sub_epi32(descend<0>(v, search, levels, _mm512_setzero_si512()), _mm512_set1_epi32(128));
    const __mmask16 missing = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q) |
                              _mm512_cmp_ps_mask(_mm512_abs_ps(v), _mm512_set1_ps(zero_bound), _CMP_LE_OQ);
    any |= missing;
    const __m512i shifted = _mm512_mask_mov_epi32(at, missing, _mm512_set1_epi32(missing_code));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(code + r), _mm512_cvtepi32_epi8(shifted));
  }
  return any != 0;
}

#else
void add_f64(const double* values, int, const std::uint8_t* slot, int rows, double* sum) { add_each(values, slot, rows, sum); }
void add_f32(const float* values, int, const std::uint8_t* slot, int rows, float* sum) { add_each(values, slot, rows, sum); }

// Sixteen searches at a time, so that their loads overlap.
template <class T>
MLWRIGHT_LANE bool codes_of(const T* x, int rows, const T* search, int levels, T zero_bound, std::int8_t missing_code,
                            std::int8_t* code) {
  constexpr int kGroup = 16;
  bool any = false;
  for (int r = 0; r < rows; r += kGroup) {
    std::uint32_t at[kGroup];
    for (std::uint32_t& a : at) a = 1;
    for (int level = 0; level < levels; ++level)
      for (int i = 0; i < kGroup; ++i) at[i] = 2 * at[i] + (search[at[i]] < x[r + i] ? 1U : 0U);
    for (int i = 0; i < kGroup; ++i) {
      const T v = x[r + i], size = v < 0 ? -v : v;
      const bool missing = v != v || size <= zero_bound;
      any |= missing;
      code[r + i] = missing ? missing_code : static_cast<std::int8_t>(static_cast<int>(at[i] - (1U << levels)) - 128);
    }
  }
  return any;
}
bool codes_f64(const double* x, int rows, const double* search, int levels, double zero_bound, std::int8_t missing_code,
               std::int8_t* code) {
  return codes_of(x, rows, search, levels, zero_bound, missing_code, code);
}
bool codes_f32(const float* x, int rows, const float* search, int levels, float zero_bound, std::int8_t missing_code,
               std::int8_t* code) {
  return codes_of(x, rows, search, levels, zero_bound, missing_code, code);
}
#endif

void recode(const std::int8_t* code, int rows, std::int8_t from, std::int8_t to, std::int8_t* out) {
  for (int r = 0; r < rows; r += kBytes) {
    const Bytes c = load_bytes(code + r);
    store_bytes(out + r, choose_equal(c, all(from), all(to), c));
  }
}

void members(const std::uint32_t* category, int rows, const std::uint32_t* words, std::uint32_t n_words, std::int8_t* out) {
  for (int r = 0; r < rows; ++r) {
    const std::uint32_t c = category[r], far = c >> 5;
    const std::uint32_t word = (far < n_words ? far : n_words) + (c == kNoCategory ? 1U : 0U);
    out[r] = (words[word] >> (c & 31U)) & 1U ? std::int8_t{-128} : std::int8_t{127};
  }
}

}  // namespace

extern const ForestTable forest_table;
const ForestTable forest_table = {slots, tree_slots, row_codes_f64, row_codes_f32, add_f64, add_f32, codes_f64, codes_f32, recode, members};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
