#include "mlwright/tree/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "mlwright/runtime/parallel.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kRowGrain = 16384;
constexpr int kPrefetch = 24;  // rows ahead: a scattered row is a cache miss, and a row is some 20 ns of work

typedef std::int64_t Pair __attribute__((vector_size(16)));  // an Entry as one SSE2/NEON vector

inline void add(Entry* to, Pair value) {
  Pair sum;
  std::memcpy(&sum, to, sizeof sum);
  sum += value;
  std::memcpy(static_cast<void*>(to), &sum, sizeof sum);
}

inline void add_eight(const std::uint8_t* codes, Entry* const* feature, Pair value) {
  std::uint64_t packed;
  std::memcpy(&packed, codes, 8);
#pragma GCC unroll 8
  for (int j = 0; j < 8; ++j) add(feature[j] + static_cast<std::uint8_t>(packed >> (8 * j)), value);
}

struct Block {
  const std::uint8_t* codes;
  index_t stride;
  index_t n_features;
};

inline void add_row(const Block& block, index_t row, Entry* const* feature, const Entry* row_entries) {
  Pair value;
  std::memcpy(&value, row_entries + row, sizeof value);
  const std::uint8_t* codes = block.codes + row * block.stride;
  index_t j = 0;
  for (; j + 8 <= block.n_features; j += 8) add_eight(codes + j, feature + j, value);
  for (; j < block.n_features; ++j) add(feature[j] + codes[j], value);
}

void accumulate(const Block& block, std::span<const std::uint32_t> rows, Entry* const* feature, const Entry* row_entries) {
  const index_t n = static_cast<index_t>(rows.size());
  const index_t ahead = std::max<index_t>(0, n - kPrefetch);
  index_t i = 0;
  for (; i < ahead; ++i) {
    const index_t coming = rows[static_cast<std::size_t>(i + kPrefetch)];
    __builtin_prefetch(block.codes + coming * block.stride);
    __builtin_prefetch(row_entries + coming);
    add_row(block, rows[static_cast<std::size_t>(i)], feature, row_entries);
  }
  for (; i < n; ++i) add_row(block, rows[static_cast<std::size_t>(i)], feature, row_entries);
}

void accumulate_block(const BinnedMatrix& bins, const HistogramLayout& layout, index_t b,
                      std::span<const std::uint32_t> rows, const Entry* row_entries, Entry* histogram) {
  Entry* feature[BinnedMatrix::kBlock];
  for (index_t j = 0; j < bins.block_features(b); ++j)
    feature[j] = histogram + layout.offset[static_cast<std::size_t>(bins.block_begin(b) + j)];
  accumulate({bins.block(b), bins.block_stride(b), bins.block_features(b)}, rows, feature, row_entries);
}

// One block of features: threads share the rows, each with a histogram of its own. The sums being of integers, it does
// not matter which thread took which rows.
void build_by_rows(const BinnedMatrix& bins, const HistogramLayout& layout, std::span<const std::uint32_t> rows,
                   const Entry* row_entries, std::span<Entry> histogram, runtime::CancelToken& token) {
  const runtime::ThreadLimit pinned(runtime::max_threads());  // as many slots as there will be workers
  const std::size_t size = histogram.size();
  const auto slots = static_cast<std::size_t>(runtime::max_threads());
  std::vector<Entry> others((slots - 1) * size);
  std::vector<std::uint8_t> used(slots, 0);
  runtime::parallel_for(static_cast<index_t>(rows.size()), kRowGrain, token, [&](index_t, index_t begin, index_t end) {
    const auto slot = static_cast<std::size_t>(runtime::worker_slot());
    used[slot] = 1;
    Entry* mine = slot == 0 ? histogram.data() : others.data() + (slot - 1) * size;
    for (index_t b = 0; b < bins.n_blocks(); ++b)
      accumulate_block(bins, layout, b,
                       rows.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)), row_entries,
                       mine);
  });
  for (std::size_t slot = 1; slot < slots; ++slot) {
    if (!used[slot]) continue;
    const Entry* other = others.data() + (slot - 1) * size;
    for (std::size_t k = 0; k < size; ++k) {
      histogram[k].g += other[k].g;
      histogram[k].hn += other[k].hn;
    }
  }
}

}  // namespace

FixedPoint FixedPoint::fit(double largest_g, double largest_h, std::uint64_t total_count) {
  constexpr int kLeast = -970;  // the scale of smaller gradients, 2^(50 + 970), is still finite
  FixedPoint fixed;
  fixed.count_bits = std::bit_width(total_count);
  // frexp: |g| < 2^g_exponent, so W * |g| in units is below 2^count_bits * 2^g_bits <= 2^61. Doubles are exact to 2^51
  // through the rounding trick of the quantising kernel.
  std::frexp(largest_g, &fixed.g_exponent);
  fixed.g_exponent = std::max(fixed.g_exponent, kLeast);
  fixed.g_bits = std::min(61 - fixed.count_bits, 50);
  int exponent = 0;
  std::frexp(largest_h, &exponent);
  fixed.h_bits = std::min(std::min(63 - 2 * fixed.count_bits, 50) - exponent, 1000);  // 2^1000: a scale that is finite
  return fixed;
}

double FixedPoint::g_scale() const noexcept { return std::ldexp(1.0, g_bits - g_exponent); }
double FixedPoint::h_scale() const noexcept { return std::ldexp(1.0, h_bits); }
double FixedPoint::unscaled_gain(double gain) const noexcept {
  return std::min(std::ldexp(gain, 2 * g_exponent), std::numeric_limits<double>::max());
}
double FixedPoint::unscaled_value(double value) const noexcept { return std::ldexp(value, g_exponent); }

double FixedPoint::g(const Entry& e) const noexcept { return std::ldexp(static_cast<double>(e.g), -g_bits); }
double FixedPoint::h(const Entry& e) const noexcept {
  return std::ldexp(static_cast<double>(e.hn >> count_bits), -h_bits);
}

HistogramLayout::HistogramLayout(const BinnedMatrix& bins) {
  offset.push_back(0);
  for (index_t j = 0; j < bins.n_features(); ++j)
    offset.push_back(offset.back() + static_cast<std::uint32_t>(bins.n_codes(j)));
}

void build_histogram(const BinnedMatrix& bins, const HistogramLayout& layout, std::span<const std::uint32_t> rows,
                     const Entry* row_entries, std::span<Entry> histogram, runtime::CancelToken& token) {
  std::ranges::fill(histogram, Entry{});
  if (bins.n_blocks() == 1) return build_by_rows(bins, layout, rows, row_entries, histogram, token);
  const index_t work = static_cast<index_t>(rows.size()) * BinnedMatrix::kBlock;
  const index_t grain = std::max<index_t>(1, kRowGrain * 8 / std::max<index_t>(work, 1));
  runtime::parallel_for(bins.n_blocks(), grain, token, [&](index_t, index_t begin, index_t end) {
    for (index_t b = begin; b < end; ++b)
      accumulate_block(bins, layout, b, rows, row_entries, histogram.data());
  });
}

void subtract_histogram(std::span<Entry> parent, std::span<const Entry> smaller) {
  for (std::size_t k = 0; k < parent.size(); ++k) {
    parent[k].g -= smaller[k].g;
    parent[k].hn -= smaller[k].hn;
  }
}

}  // namespace mlwright::tree
