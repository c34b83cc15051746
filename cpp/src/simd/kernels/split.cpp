#include "simd/split.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

// Conversion of 64-bit integers rounds to nearest at every level, by instruction or one lane at a time.
MLWRIGHT_LANE f64x8 to_f64(i64x8 v) { return __builtin_convertvector(v, f64x8); }

MLWRIGHT_LANE f64x8 soft(f64x8 g, f64x8 l1) { return select(g > l1, g - l1, select(g < -l1, g + l1, splat(0.0))); }

template <bool kL1>
MLWRIGHT_LANE f64x8 part(f64x8 g, f64x8 h, const CutRules& rules) {
  const f64x8 t = kL1 ? soft(g, splat(rules.l1)) : g;
  return t * t / (h + rules.l2);
}

typedef std::int64_t Pair __attribute__((vector_size(16)));  // an entry

// out[i] = start + codes 0 .. i; the last one again until the end of a whole vector.
void prefix_sums(const PackedEntry* codes, int n, PackedEntry start, PackedEntry* out) {
  Pair sum, code;
  std::memcpy(&sum, &start, sizeof sum);
  int i = 0;
  for (; i < n; ++i) {
    std::memcpy(&code, codes + i, sizeof code);
    sum += code;
    std::memcpy(out + i, &sum, sizeof sum);
  }
  for (; i % kLanes != 0; ++i) std::memcpy(out + i, &sum, sizeof sum);
}

MLWRIGHT_LANE void load_eight(const PackedEntry* entries, i64x8& g, i64x8& hn) {
#if MLWRIGHT_NATIVE_IS_WIDEST
  i64x8 a, b;
  std::memcpy(&a, entries, sizeof a);
  std::memcpy(&b, entries + 4, sizeof b);
  g = __builtin_shuffle(a, b, i64x8{0, 2, 4, 6, 8, 10, 12, 14});
  hn = __builtin_shuffle(a, b, i64x8{1, 3, 5, 7, 9, 11, 13, 15});
#else
  for (int lane = 0; lane < kLanes; ++lane) {
    g[lane] = entries[lane].g;
    hn[lane] = static_cast<std::int64_t>(entries[lane].hn);
  }
#endif
}

// -1 where a side is too small.
template <bool kL1>
MLWRIGHT_LANE f64x8 gains_of(i64x8 g, i64x8 hn, const PackedEntry& all, const CutRules& rules) {
  const std::int64_t mask = static_cast<std::int64_t>((std::uint64_t{1} << rules.count_bits) - 1);
  const u64x8 hn_left = (u64x8)hn, hn_right = all.hn - hn_left;
  const f64x8 hl = to_f64((i64x8)(hn_left >> rules.count_bits)) * rules.h_unit;
  const f64x8 hr = to_f64((i64x8)(hn_right >> rules.count_bits)) * rules.h_unit;
  const f64x8 sum = part<kL1>(to_f64(g) * rules.g_unit, hl, rules) + part<kL1>(to_f64(all.g - g) * rules.g_unit, hr, rules);
  const i64x8 allowed = (((i64x8)hn_left & mask) >= rules.min_count) & (((i64x8)hn_right & mask) >= rules.min_count) &
                        (hl >= rules.min_hessian) & (hr >= rules.min_hessian);
  return select(allowed, sum, splat(-1.0));
}

void gains(const std::int64_t* g, const std::uint64_t* hn, int n, PackedEntry all, const CutRules& rules, double* gain) {
  for (int i = 0; i < n; i += kLanes) {
    i64x8 g_left, hn_left;
    std::memcpy(&g_left, g + i, sizeof g_left);
    std::memcpy(&hn_left, hn + i, sizeof hn_left);
    store(gain + i, rules.l1 > 0 ? gains_of<true>(g_left, hn_left, all, rules) : gains_of<false>(g_left, hn_left, all, rules));
  }
}

template <bool kL1>
BestCut best_cut_as(const PackedEntry* codes, int first, int end, PackedEntry start, PackedEntry all, const CutRules& rules,
                    double least) {
  if (first >= end) return {-1, least};
  alignas(64) PackedEntry sums[256 + kLanes];
  prefix_sums(codes, end, start, sums);
  const std::uint64_t mask = (std::uint64_t{1} << rules.count_bits) - 1, least_count = static_cast<std::uint64_t>(rules.min_count);
  const i64x8 lane_number = {0, 1, 2, 3, 4, 5, 6, 7};
  f64x8 most = splat(least);
  i64x8 at = splat(std::int64_t{-1});
  for (int i = first / kLanes * kLanes; i < end; i += kLanes) {
    // Eight codes without a row are eight cuts like the one before them, which was looked at.
    if (i > first && sums[i + kLanes - 1].hn == sums[i - 1].hn) continue;
    if ((sums[i + kLanes - 1].hn & mask) < least_count) continue;
    if (((all.hn - sums[i].hn) & mask) < least_count) break;
    i64x8 g, hn;
    load_eight(sums + i, g, hn);
    const i64x8 number = lane_number + i;
    const f64x8 gain = gains_of<kL1>(g, hn, all, rules);
    const i64x8 better = (gain > most) & (number >= first);
    most = select(better, gain, most);
    at = better ? number : at;
  }
  BestCut best{-1, least};
  for (int lane = 0; lane < kLanes; ++lane) {
    if (at[lane] < 0) continue;
    const bool earlier_equal = most[lane] == best.gain && at[lane] < best.at;
    if (best.at < 0 || most[lane] > best.gain || earlier_equal) best = {static_cast<int>(at[lane]), most[lane]};
  }
  return best;
}

BestCut best_cut(const PackedEntry* codes, int first, int end, PackedEntry start, PackedEntry all, const CutRules& rules,
                 double least) {
  return rules.l1 > 0 ? best_cut_as<true>(codes, first, end, start, all, rules, least)
                      : best_cut_as<false>(codes, first, end, start, all, rules, least);
}

}  // namespace

extern const SplitTable split_table;
const SplitTable split_table = {gains, best_cut};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
