#include "simd/histogram.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr int kWidth = MLWRIGHT_NATIVE_BYTES / 8;

#if MLWRIGHT_NATIVE_BYTES == 64
constexpr i64xn kLow = {0, 8, 1, 9, 2, 10, 3, 11}, kHigh = {4, 12, 5, 13, 6, 14, 7, 15};
#elif MLWRIGHT_NATIVE_BYTES == 32
constexpr i64xn kLow = {0, 4, 1, 5}, kHigh = {2, 6, 3, 7};
#else
constexpr i64xn kLow = {0, 2}, kHigh = {1, 3};
#endif

MLWRIGHT_LANE i64xn read(const void* p) {
  i64xn v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
MLWRIGHT_LANE void write(void* p, i64xn v) { std::memcpy(p, &v, sizeof v); }

template <bool kVaries>
struct Unpack {
  int h_bits, n_bits, count_bits;
  std::uint64_t hn_of_one;

  template <class U>
  inline __attribute__((always_inline)) U hn(U v) const {
    const U n = v & ((std::uint64_t{1} << n_bits) - 1);
    if (!kVaries) return n * hn_of_one;
    return (v >> n_bits & ((std::uint64_t{1} << h_bits) - 1)) << count_bits | n;
  }
};

template <bool kVaries, bool kFresh>
void flush_as(std::uint64_t* packed, index_t n, Unpack<kVaries> unpack, PackedEntry* wide) {
  const int shift = unpack.h_bits + unpack.n_bits;
  index_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    const i64xn v = read(packed + i);
    write(packed + i, i64xn{});
    const i64xn g = v >> shift, hn = (i64xn)unpack.hn((u64xn)v);
    i64xn low = __builtin_shuffle(g, hn, kLow), high = __builtin_shuffle(g, hn, kHigh);
    if (!kFresh) {
      low += read(wide + i);
      high += read(wide + i + kWidth / 2);
    }
    write(wide + i, low);
    write(wide + i + kWidth / 2, high);
  }
  for (; i < n; ++i) {
    const std::uint64_t v = packed[i];
    packed[i] = 0;
    if (kFresh) wide[i] = {0, 0};
    wide[i].g += static_cast<std::int64_t>(v) >> shift;
    wide[i].hn += unpack.hn(v);
  }
}

void flush(std::uint64_t* packed, index_t n, int h_bits, int n_bits, int count_bits, std::uint64_t hn_of_one, bool fresh,
           PackedEntry* wide) {
  if (h_bits > 0) {
    const Unpack<true> unpack{h_bits, n_bits, count_bits, hn_of_one};
    if (fresh) flush_as<true, true>(packed, n, unpack, wide);
    else flush_as<true, false>(packed, n, unpack, wide);
  } else {
    const Unpack<false> unpack{h_bits, n_bits, count_bits, hn_of_one};
    if (fresh) flush_as<false, true>(packed, n, unpack, wide);
    else flush_as<false, false>(packed, n, unpack, wide);
  }
}

// An entry is two integers that are added alike.
template <bool kMinus>
void combine(PackedEntry* to, const PackedEntry* from, index_t n) {
  index_t i = 0;
  for (; i + kWidth / 2 <= n; i += kWidth / 2) {
    const i64xn a = read(to + i), b = read(from + i);
    write(to + i, kMinus ? a - b : a + b);
  }
  for (; i < n; ++i) {
    to[i].g = kMinus ? to[i].g - from[i].g : to[i].g + from[i].g;
    to[i].hn = kMinus ? to[i].hn - from[i].hn : to[i].hn + from[i].hn;
  }
}

}  // namespace

extern const HistogramTable histogram_table;
const HistogramTable histogram_table = {flush, combine<false>, combine<true>};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
