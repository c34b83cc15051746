#include "simd/split.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

// Conversion of 64-bit integers rounds to nearest at every level, by instruction or one lane at a time.
MLWRIGHT_LANE f64x8 to_f64(i64x8 v) { return __builtin_convertvector(v, f64x8); }

MLWRIGHT_LANE f64x8 soft(f64x8 g, f64x8 l1) { return select(g > l1, g - l1, select(g < -l1, g + l1, splat(0.0))); }

MLWRIGHT_LANE f64x8 part(f64x8 g, f64x8 h, f64x8 l1, f64x8 l2) {
  const f64x8 t = soft(g, l1);
  return t * t / (h + l2);
}

void gains(const std::int64_t* g, const std::uint64_t* hn, int n, std::int64_t g_all, std::uint64_t hn_all, int count_bits,
           double g_unit, double h_unit, double l1, double l2, double min_hessian, std::int64_t min_count, double* gain) {
  const std::int64_t mask = static_cast<std::int64_t>((std::uint64_t{1} << count_bits) - 1);
  for (int i = 0; i < n; i += kLanes) {
    i64x8 g_left;
    u64x8 hn_left;
    std::memcpy(&g_left, g + i, sizeof g_left);
    std::memcpy(&hn_left, hn + i, sizeof hn_left);
    const u64x8 hn_right = hn_all - hn_left;
    const f64x8 hl = to_f64((i64x8)(hn_left >> count_bits)) * h_unit;
    const f64x8 hr = to_f64((i64x8)(hn_right >> count_bits)) * h_unit;
    const f64x8 sum = part(to_f64(g_left) * g_unit, hl, splat(l1), splat(l2)) +
                      part(to_f64(g_all - g_left) * g_unit, hr, splat(l1), splat(l2));
    const i64x8 allowed = (((i64x8)hn_left & mask) >= min_count) & (((i64x8)hn_right & mask) >= min_count) &
                          (hl >= min_hessian) & (hr >= min_hessian);
    store(gain + i, select(allowed, sum, splat(-1.0)));
  }
}

}  // namespace

extern const SplitTable split_table;
const SplitTable split_table = {gains};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
