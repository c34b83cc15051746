// Histograms of gradients, Hessians and counts per bin, in integers.
//
// An entry is two 64-bit integers: the sum of g and, packed, the sum of h (high bits) and the count (low bits). Integer
// sums are associative, so a histogram has the same bits for any order of rows, any number of threads and any instruction
// set; parent minus child is exact; counts are exact; and an integer weight w, multiplied in after rounding, is exactly w
// repetitions. One vector addition updates an entry. Figures: docs/decisions/histograms.md.
//
// Rounding: units are powers of two chosen from the largest magnitude and the total count W so that no sum can overflow
// (FixedPoint::fit states the proof). With L the largest |g|, the unit of g is at most max(2^-49, W * 2^-59) * L: some
// 2^-40 L for W = 10^6. A sum over any rows is therefore off by at most max(W * 2^-50, W^2 * 2^-60) * L. Nothing is
// clipped: rows whose gradients are below the unit are rounded away, and all of them together weigh less than that.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/tree/binning.hpp"

namespace mlwright::tree {

struct Entry {
  std::int64_t g = 0;
  std::uint64_t hn = 0;  // h << count_bits | count
};

// How gradients become integers, for one tree. What is computed from them (sums, gains, values, bounds) is in the scale
// of the tree: gradients divided by 2^g_exponent, so that the largest is near 1 and neither its square nor its sum leaves
// the range of doubles; and gradients multiplied by a power of two give the same tree.
struct FixedPoint {
  int g_exponent = 0;
  int g_bits = 0;      // g is stored as round(g / 2^g_exponent * 2^g_bits)
  int h_bits = 0;      // h as round(h * 2^h_bits)
  int count_bits = 1;  // the low bits of Entry::hn that hold the count

  // largest_g, largest_h: bounds over single observations (before an integer weight multiplies them). total_count: the
  // sum of all counts W >= 1. Every stored sum of g is at most W * 2^g_bits < 2^61 in magnitude; every sum of h, one
  // rounding unit an observation included, is below 2^(64 - count_bits); every count is at most W < 2^count_bits.
  static FixedPoint fit(double largest_g, double largest_h, std::uint64_t total_count);

  double g_scale() const noexcept;  // what gradients are multiplied by before rounding
  double h_scale() const noexcept;
  double unscaled_gain(double gain) const noexcept;  // at most the largest double: a gain is a square
  double unscaled_value(double value) const noexcept;  // a leaf's value, or a bound of it
  double g(const Entry& e) const noexcept;  // in the scale of the tree
  double h(const Entry& e) const noexcept;
  std::int64_t count(const Entry& e) const noexcept {
    return static_cast<std::int64_t>(e.hn & ((std::uint64_t{1} << count_bits) - 1));
  }
};

// Where the codes of each feature start in a histogram.
struct HistogramLayout {
  std::vector<std::uint32_t> offset;  // n_features + 1
  explicit HistogramLayout(const BinnedMatrix& bins);
  std::size_t size() const noexcept { return offset.back(); }
};

// histogram[offset[j] + code(i, j)] = sum over rows i of row_entries[i]. Overwrites.
void build_histogram(const BinnedMatrix& bins, const HistogramLayout& layout, std::span<const std::uint32_t> rows,
                     const Entry* row_entries, std::span<Entry> histogram, runtime::CancelToken& token);

// larger = parent - smaller, written over the parent.
void subtract_histogram(std::span<Entry> parent, std::span<const Entry> smaller);

}  // namespace mlwright::tree
