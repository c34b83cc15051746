// What boosting does to every observation: gradients of several classes, weights, ranges, rounding to integers.
#pragma once

#include <cstdint>

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

struct GradientRange {
  double largest_g;  // of |g|; NaN if any g is NaN
  double largest_h;
  double smallest_h;
};

// Memory layout of mlwright::tree::Entry.
struct PackedEntry {
  std::int64_t g;
  std::uint64_t hn;
};

// How gradients and Hessians are rounded to integers.
struct Rounding {
  double g_scale, h_scale;
  int count_bits;
  std::int64_t small_g, small_h;  // rows whose integers are below either are counted
};

struct RoundedTotals {
  std::int64_t g;
  std::uint64_t hn;
  std::int64_t n_small;  // of repetitions
};

// Of the rows of a leaf: sums of g and of h, each in the two integers of tree/exact_sum.hpp.
struct LeafTotals {
  std::int64_t g_high, g_low, h_high, h_low;
};
struct LeafScales {
  double g, h, second;  // ExactScale::first() of g and of h, second() of both
};

struct BoostingTable {
  // Softmax over K columns of raw (column k at raw + k * stride), into mu with the same stride; if log_sum is not null,
  // log(sum_k exp(raw_k)) into it.
  void (*softmax)(const double* raw, index_t stride, int n_classes, index_t n, double* mu, double* log_sum);
  void (*multinomial)(const double* y, const double* mu, double k, index_t n, double* g, double* h);
  double (*weighted_total)(const double* value, const double* weight, index_t n);  // weight may be null
  void (*multiply)(double* x, const double* weight, index_t n);
  GradientRange (*range)(const double* g, const double* h, index_t n);  // h may be null: all ones
  // out = {gi * w, (hi * w) << count_bits | w} with gi = round(g * g_scale), hi = round(h * h_scale). h null: ones;
  // repeats (w) null: ones. Returns the sums.
  RoundedTotals (*round_to_entries)(const double* g, const double* h, const double* repeats, index_t n,
                                    const Rounding& rounding, PackedEntry* out);
  // out = gi << g_shift | hi, in 32 bits; h null: no hi, but in the sums.
  RoundedTotals (*round_to_packed)(const double* g, const double* h, index_t n, const Rounding& rounding, int g_shift,
                                   std::uint32_t* out);
  // totals[leaf[i]] += repeats[i] times the integers of g[i] and h[i]. h null: its sums are counts (h_high); repeats null:
  // ones.
  void (*sum_by_leaf)(const double* g, const double* h, const double* repeats, const std::uint32_t* leaf, index_t n,
                      const LeafScales& scales, LeafTotals* totals);
  // raw[i] += value[leaf[i]]
  void (*add_by_leaf)(const double* value, const std::uint32_t* leaf, index_t n, double* raw);
};

MLWRIGHT_SIMD_TABLES(BoostingTable, boosting)

}  // namespace mlwright::simd
