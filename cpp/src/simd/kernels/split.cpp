#include "simd/split.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr int kWidth = MLWRIGHT_NATIVE_BYTES / 8;

MLWRIGHT_LANE f64xn splat_n(double x) { return x - f64xn{}; }
MLWRIGHT_LANE i64xn splat_n(std::int64_t x) { return x - i64xn{}; }
MLWRIGHT_LANE f64xn choose(i64xn mask, f64xn yes, f64xn no) { return mask ? yes : no; }

// Rounds to nearest once, as the instruction does where there is one: both halves are exact as doubles 2^84 + 2^63 + 2^32 high
// and 2^52 + low, and so is all but the last addition.
MLWRIGHT_LANE f64xn to_f64(i64xn v) {
#if MLWRIGHT_NATIVE_IS_WIDEST
  return __builtin_convertvector(v, f64xn);
#else
  const u64xn low = ((u64xn)v & 0xffffffffULL) | 0x4330000000000000ULL;
  const u64xn high = ((u64xn)v >> 32) ^ 0x4530000080000000ULL;
  return ((f64xn)high - 0x1.00000801p84) + (f64xn)low;
#endif
}

MLWRIGHT_LANE f64xn soft(f64xn g, double l1) {
  return choose(g > l1, g - l1, choose(g < -l1, g + l1, f64xn{}));
}

template <bool kL1>
MLWRIGHT_LANE f64xn part(f64xn g, f64xn h, const CutRules& rules) {
  const f64xn t = kL1 ? soft(g, rules.l1) : g;
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

// The next entries' sums, in the order of lanes that takes the fewest instructions: that of kNumbers.
#if MLWRIGHT_NATIVE_BYTES == 64
constexpr i64xn kG = {0, 8, 2, 10, 4, 12, 6, 14}, kHn = {1, 9, 3, 11, 5, 13, 7, 15}, kNumbers = {0, 4, 1, 5, 2, 6, 3, 7};
#elif MLWRIGHT_NATIVE_BYTES == 32
constexpr i64xn kG = {0, 4, 2, 6}, kHn = {1, 5, 3, 7}, kNumbers = {0, 2, 1, 3};
#else
constexpr i64xn kG = {0, 2}, kHn = {1, 3}, kNumbers = {0, 1};
#endif
MLWRIGHT_LANE void load_entries(const PackedEntry* entries, i64xn& g, i64xn& hn) {
  i64xn a, b;
  std::memcpy(&a, entries, sizeof a);
  std::memcpy(&b, entries + kWidth / 2, sizeof b);
  g = __builtin_shuffle(a, b, kG);
  hn = __builtin_shuffle(a, b, kHn);
}

// -1 where a side is too small.
template <bool kL1>
MLWRIGHT_LANE f64xn gains_of(i64xn g, i64xn hn, const PackedEntry& all, const CutRules& rules) {
  const std::int64_t mask = static_cast<std::int64_t>((std::uint64_t{1} << rules.count_bits) - 1);
  const u64xn hn_left = (u64xn)hn, hn_right = all.hn - hn_left;
  const f64xn hl = to_f64((i64xn)(hn_left >> rules.count_bits)) * rules.h_unit;
  const f64xn hr = to_f64((i64xn)(hn_right >> rules.count_bits)) * rules.h_unit;
  const f64xn sum = part<kL1>(to_f64(g) * rules.g_unit, hl, rules) + part<kL1>(to_f64(all.g - g) * rules.g_unit, hr, rules);
  const i64xn allowed = (((i64xn)hn_left & mask) >= rules.min_count) & (((i64xn)hn_right & mask) >= rules.min_count) &
                        (hl >= rules.min_hessian) & (hr >= rules.min_hessian);
  return choose(allowed, sum, splat_n(-1.0));
}

void gains(const std::int64_t* g, const std::uint64_t* hn, int n, PackedEntry all, const CutRules& rules, double* gain) {
  for (int i = 0; i < n; i += kWidth) {
    i64xn g_left, hn_left;
    std::memcpy(&g_left, g + i, sizeof g_left);
    std::memcpy(&hn_left, hn + i, sizeof hn_left);
    const f64xn of_cuts = rules.l1 > 0 ? gains_of<true>(g_left, hn_left, all, rules) : gains_of<false>(g_left, hn_left, all, rules);
    std::memcpy(gain + i, &of_cuts, sizeof of_cuts);
  }
}

template <bool kL1>
BestCut best_cut_as(const PackedEntry* codes, int first, int end, PackedEntry start, PackedEntry all, const CutRules& rules,
                    double least) {
  if (first >= end) return {-1, least};
  alignas(64) PackedEntry sums[256 + kLanes];
  prefix_sums(codes, end, start, sums);
  const std::uint64_t mask = (std::uint64_t{1} << rules.count_bits) - 1, least_count = static_cast<std::uint64_t>(rules.min_count);
  f64xn most = splat_n(least);
  i64xn at = splat_n(std::int64_t{-1});
  for (int i = first / kWidth * kWidth; i < end; i += kWidth) {
    // Codes without a row are cuts like the one before them, which was looked at.
    if (i > first && sums[i + kWidth - 1].hn == sums[i - 1].hn) continue;
    if ((sums[i + kWidth - 1].hn & mask) < least_count) continue;
    if (((all.hn - sums[i].hn) & mask) < least_count) break;
    i64xn g, hn;
    load_entries(sums + i, g, hn);
    const i64xn number = kNumbers + i;
    const f64xn gain = gains_of<kL1>(g, hn, all, rules);
    const i64xn better = (gain > most) & (number >= first);
    most = choose(better, gain, most);
    at = better ? number : at;
  }
  BestCut best{-1, least};
  for (int lane = 0; lane < kWidth; ++lane) {
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
