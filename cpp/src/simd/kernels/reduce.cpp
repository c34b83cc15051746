#include "simd/reduce.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr int kWidth = static_cast<int>(sizeof(f64xn) / sizeof(double)), kParts = kLanes / kWidth;

MLWRIGHT_LANE f64xn take(const double* p) {
  f64xn v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// Eight lanes in registers of the instruction set: gcc 12 keeps wider vectors in memory.
struct Eight {
  f64xn part[kParts];
  MLWRIGHT_LANE f64x8 whole(const Eight& sum) {
    f64x8 all;
    std::memcpy(&all, sum.part, sizeof all);
    return all;
  }
};

// sum += term(i), ..., term(i + 7), which gives kWidth of them from its place on.
template <class Term>
MLWRIGHT_LANE void add(Eight& sum, index_t i, Term term) {
#pragma GCC unroll 4
  for (int p = 0; p < kParts; ++p) sum.part[p] += term(i + p * kWidth);
}

// Two accumulators of eight lanes hide the latency of the addition; their order is part of the result.
template <class Term, class Rest>
MLWRIGHT_LANE double total(index_t n, Term term, Rest rest) {
  Eight a{}, b{};
  index_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    add(a, i, term);
    add(b, i + kLanes, term);
  }
  for (; i + kLanes <= n; i += kLanes) add(a, i, term);
  f64x8 last = Eight::whole(b);
  if (i < n) last += rest(i, static_cast<int>(n - i));
  return sum_lanes(Eight::whole(a) + last);
}

double sum(const double* x, index_t n) {
  return total(
      n, [x](index_t i) { return take(x + i); }, [x](index_t i, int left) { return load_first(x + i, left, 0.0); });
}

double dot(const double* x, const double* y, index_t n) {
  return total(
      n, [x, y](index_t i) { return take(x + i) * take(y + i); },
      [x, y](index_t i, int left) { return load_first(x + i, left, 0.0) * load_first(y + i, left, 0.0); });
}

}  // namespace

extern const ReduceTable reduce_table;
const ReduceTable reduce_table = {sum, dot};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
