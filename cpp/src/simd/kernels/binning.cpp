#include "simd/binning.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr int kGroup = 16;

constexpr int kWidth = MLWRIGHT_NATIVE_BYTES / 8;
typedef std::int32_t i32xn __attribute__((vector_size(MLWRIGHT_NATIVE_BYTES / 2)));

// Monotone in x, whatever rounds, overflows or is infinite: then all are 0, or all above the origin are the last.
MLWRIGHT_LANE i32xn buckets(f64xn x, const BinSearch& search) {
  constexpr double kLast = BinSearch::kBuckets - 1;
  const f64xn zero = {}, last = zero + kLast;
  f64xn place = (x - search.origin) * search.scale;
  place = place > zero ? place : zero;
  place = place < last ? place : last;
  return __builtin_convertvector(place, i32xn);
}
MLWRIGHT_LANE std::int32_t bucket(double x, const BinSearch& search) { return buckets(x + f64xn{}, search)[0]; }

void prepare(const double* thresholds, int n, BinSearch* search) {
  for (int i = 0; i < 256; ++i) search->thresholds[i] = i < n ? thresholds[i] : __builtin_inf();
  search->origin = n > 0 ? thresholds[0] : 0.0;
  const double width = n > 1 ? thresholds[n - 1] - thresholds[0] : 0.0;
  search->scale = width > 0 ? BinSearch::kBuckets / width : 0.0;
  int most = 1, i = 0;
  for (int b = 0; b < BinSearch::kBuckets; ++b) {
    search->first[b] = static_cast<std::uint8_t>(i);
    const int begin = i;
    while (i < n && bucket(thresholds[i], *search) <= b) ++i;
    most = i - begin > most ? i - begin : most;
  }
  search->steps = 0;
  while ((1 << search->steps) <= most) ++search->steps;
  const int latest = 256 - (1 << search->steps);
  for (std::uint8_t& first : search->first) first = static_cast<std::uint8_t>(first < latest ? first : latest);
}

// Sixteen values at a time, so that their loads overlap. Whether any is NaN.
MLWRIGHT_LANE bool codes_of_group(const double* value, const BinSearch& search, std::uint8_t missing_code, std::uint8_t* code) {
  std::int32_t position[kGroup];
  i64xn missing = {};
  for (int i = 0; i < kGroup; i += kWidth) {
    f64xn some;
    __builtin_memcpy(&some, value + i, sizeof some);
    missing |= some != some;
    const i32xn at = buckets(some, search);
    __builtin_memcpy(position + i, &at, sizeof at);
  }
  for (int i = 0; i < kGroup; ++i) position[i] = search.first[position[i]];
  for (int shift = search.steps - 1; shift >= 0; --shift) {
    const double* middle = search.thresholds + (1 << shift) - 1;
    for (int i = 0; i < kGroup; ++i) position[i] += static_cast<std::int32_t>(middle[position[i]] < value[i]) << shift;
  }
  for (int i = 0; i < kGroup; ++i) code[i] = static_cast<std::uint8_t>(position[i]);
  std::int64_t any = 0;
  for (int lane = 0; lane < kWidth; ++lane) any |= missing[lane];
  if (any == 0) return false;
  for (int i = 0; i < kGroup; ++i) code[i] = value[i] != value[i] ? missing_code : code[i];
  return true;
}

bool codes(const double* x, index_t n, const BinSearch* search, std::uint8_t missing_code, std::uint8_t* code) {
  bool any_missing = false;
  index_t i = 0;
  for (; i + kGroup <= n; i += kGroup) any_missing |= codes_of_group(x + i, *search, missing_code, code + i);
  if (i == n) return any_missing;
  double rest[kGroup] = {};
  std::uint8_t of_rest[kGroup];
  __builtin_memcpy(rest, x + i, static_cast<unsigned>(n - i) * sizeof(double));
  any_missing |= codes_of_group(rest, *search, missing_code, of_rest);
  __builtin_memcpy(code + i, of_rest, static_cast<unsigned>(n - i));
  return any_missing;
}

}  // namespace

extern const BinningTable binning_table;
const BinningTable binning_table = {prepare, codes};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
