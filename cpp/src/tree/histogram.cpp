#include "mlwright/tree/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "mlwright/base/checked.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/tree/sparse_histogram.hpp"
#include "simd/histogram.hpp"

namespace mlwright::tree {
namespace {

constexpr int kPrefetch = 24;  // rows ahead: a scattered row is a cache miss, and a row is some 12 ns of work
constexpr index_t kLeastWork = 1 << 15, kMostWork = 1 << 17;  // updates a chunk: 13 to 60 us
constexpr int kCoarseG = 15, kCoarseH = 12, kCoarseGAlone = 31;

typedef std::int64_t Pair __attribute__((vector_size(16)));  // an Entry as one SSE2/NEON vector

struct Block {
  const std::uint8_t* codes;
  index_t stride;
  index_t n_features;
};

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

inline void add_wide_row(const Block& block, const std::uint8_t* codes, Entry* const* feature, const Entry* row_entry) {
  Pair value;
  std::memcpy(&value, row_entry, sizeof value);
  index_t j = 0;
  for (; j + 8 <= block.n_features; j += 8) add_eight(codes + j, feature + j, value);
  for (; j < block.n_features; ++j) add(feature[j] + codes[j], value);
}

// With the features' places known when compiled, an update is a load, an addition in memory, and nothing else.
template <int kCount, int kStride>
inline void add_some(const std::uint8_t* codes, std::uint64_t* at, std::uint64_t value) {
  std::uint64_t packed = 0;
  std::memcpy(&packed, codes, kCount);
#pragma GCC unroll 8
  for (int j = 0; j < kCount; ++j) at[j * kStride + static_cast<std::uint8_t>(packed >> (8 * j))] += value;
}

template <int kStride>
inline void add_packed_row(const Block& block, const std::uint8_t* codes, std::uint64_t* at, std::uint64_t value) {
  index_t j = 0;
  for (; j + 8 <= block.n_features; j += 8, at += 8 * kStride) add_some<8, kStride>(codes + j, at, value);
  if (j + 4 <= block.n_features) {
    add_some<4, kStride>(codes + j, at, value);
    j += 4;
    at += 4 * kStride;
  }
  for (; j < block.n_features; ++j, at += kStride) at[codes[j]] += value;
}

// add(codes of the row, its value) for every row, the rows to come prefetched.
template <class Value, class Add>
inline void for_rows(const Block& block, std::span<const std::uint32_t> rows, const Value* row_values, Add add_row) {
  const index_t n = static_cast<index_t>(rows.size());
  const index_t ahead = std::max<index_t>(0, n - kPrefetch);
  index_t i = 0;
  for (; i < ahead; ++i) {
    const index_t coming = rows[static_cast<std::size_t>(i + kPrefetch)], row = rows[static_cast<std::size_t>(i)];
    __builtin_prefetch(block.codes + coming * block.stride);
    __builtin_prefetch(row_values + coming);
    add_row(block.codes + row * block.stride, row_values + row);
  }
  for (; i < n; ++i) {
    const index_t row = rows[static_cast<std::size_t>(i)];
    add_row(block.codes + row * block.stride, row_values + row);
  }
}

Block block_of(const BinnedMatrix& bins, index_t b) { return {bins.block(b), bins.block_stride(b), bins.block_features(b)}; }

void add_wide(const BinnedMatrix& bins, const HistogramLayout& layout, index_t b, std::span<const std::uint32_t> rows,
              const Entry* row_entries, Entry* histogram) {
  Entry* feature[BinnedMatrix::kBlock];
  const Block block = block_of(bins, b);
  for (index_t j = 0; j < block.n_features; ++j) feature[j] = histogram + layout.begin(bins.block_begin(b) + j);
  for_rows(block, rows, row_entries,
           [&](const std::uint8_t* codes, const Entry* entry) { add_wide_row(block, codes, feature, entry); });
}

template <int kStride>
void add_packed_as(const Block& block, std::span<const std::uint32_t> rows, const std::uint64_t* row_values,
                   std::uint64_t* packed) {
  for_rows(block, rows, row_values, [&](const std::uint8_t* codes, const std::uint64_t* value) {
    add_packed_row<kStride>(block, codes, packed, *value);
  });
}

simd::PackedEntry* plain(Entry* entries) {
  static_assert(sizeof(simd::PackedEntry) == sizeof(Entry));
  return reinterpret_cast<simd::PackedEntry*>(entries);
}
const simd::PackedEntry* plain(const Entry* entries) { return reinterpret_cast<const simd::PackedEntry*>(entries); }

index_t stride_for(const BinnedMatrix& bins) {
  int most = 1;
  for (index_t j = 0; j < bins.n_features(); ++j) most = std::max(most, bins.n_codes(j));
  return most <= 16 ? 16 : (most <= 64 ? 64 : 256);
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
  std::frexp(largest_h, &fixed.h_exponent);
  fixed.h_bits = std::min(std::min(63 - 2 * fixed.count_bits, 50) - fixed.h_exponent, 1000);  // 2^1000: a finite scale
  return fixed;
}

FixedPoint FixedPoint::coarse(bool constant_hessian) const noexcept {
  FixedPoint less = *this;
  less.g_bits = std::min(g_bits, constant_hessian ? kCoarseGAlone : kCoarseG);
  if (!constant_hessian) less.h_bits = std::min(h_bits, kCoarseH - h_exponent);
  return less;
}

Packing Packing::of(const FixedPoint& coarse, bool constant_hessian) noexcept {
  Packing packing;
  packing.n_bits = constant_hessian ? 16 : 12;
  packing.h_bits = constant_hessian ? 0 : packing.n_bits + kCoarseH;
  packing.count_bits = coarse.count_bits;
  packing.hn_of_one = static_cast<std::uint64_t>(coarse.h_scale()) << coarse.count_bits | 1;
  packing.block_rows = (index_t{1} << packing.n_bits) - 1;
  return packing;
}

double FixedPoint::g_scale() const noexcept { return std::ldexp(1.0, g_bits - g_exponent); }
double FixedPoint::h_scale() const noexcept { return std::ldexp(1.0, h_bits); }
double FixedPoint::g_unit() const noexcept { return std::ldexp(1.0, -g_bits); }
double FixedPoint::h_unit() const noexcept { return std::ldexp(1.0, -h_bits); }
double FixedPoint::unscaled_gain(double gain) const noexcept {
  return std::min(std::ldexp(gain, 2 * g_exponent), std::numeric_limits<double>::max());
}
double FixedPoint::unscaled_value(double value) const noexcept { return std::ldexp(value, g_exponent); }

double FixedPoint::g(const Entry& e) const noexcept { return std::ldexp(static_cast<double>(e.g), -g_bits); }
double FixedPoint::h(const Entry& e) const noexcept {
  return std::ldexp(static_cast<double>(e.hn >> count_bits), -h_bits);
}

HistogramLayout::HistogramLayout(const BinnedMatrix& bins) {
  if (const SparseBins* sparse = bins.sparse()) {
    offset.assign(sparse->slots().begin(), sparse->slots().end());
    return;
  }
  offset.push_back(0);
  for (index_t j = 0; j < bins.n_features(); ++j)
    offset.push_back(checked_add(offset.back(), bins.n_codes(j), "histogram"));
}

HistogramBuilder::HistogramBuilder(const BinnedMatrix& bins, const HistogramLayout& layout)
    : bins_(bins), layout_(layout), stride_(stride_for(bins)) {}

void HistogramBuilder::build(std::span<const std::uint32_t> rows, const RowEntries& entries, std::span<Entry> histogram,
                             runtime::CancelToken& token) {
  if (bins_.sparse() != nullptr) return build_sparse_histogram(*bins_.sparse(), rows, entries, histogram, token);
  const runtime::ThreadLimit pinned(runtime::max_threads());  // as many threads as there is scratch memory for
  const bool few_blocks = bins_.n_blocks() < 2 * runtime::max_threads();  // too few to be dealt out evenly
  if (few_blocks) by_rows(rows, entries, histogram, token);
  else by_blocks(rows, entries, histogram, token);
}

void HistogramBuilder::prepare(const RowEntries& entries, index_t blocks_at_once) {
  if (scratch_.size() < static_cast<std::size_t>(runtime::max_threads()))
    scratch_.resize(static_cast<std::size_t>(runtime::max_threads()));
  const auto size = static_cast<std::size_t>(blocks_at_once * BinnedMatrix::kBlock * stride_);
  for (Scratch& mine : scratch_) {
    const bool make = !entries.packed.empty() && mine.packed.size() < size;
    if (make) mine.packed = Buffer<std::uint64_t>(size);
    if (make || mine.pending > 0) std::ranges::fill(mine.packed, 0);  // pending: an interrupted call left it so
    mine.pending = 0;
    mine.used = false;
  }
}

// Threads share the rows, each with a histogram of its own. The sums being of integers, it does not matter which thread
// took which rows.
void HistogramBuilder::by_rows(std::span<const std::uint32_t> rows, const RowEntries& entries, std::span<Entry> histogram,
                               runtime::CancelToken& token) {
  prepare(entries, bins_.n_blocks());
  const auto n = static_cast<index_t>(rows.size());
  const index_t per_row = std::max<index_t>(1, bins_.n_features());
  const index_t grain = std::max<index_t>(1, std::clamp(n * per_row / 32, kLeastWork, kMostWork) / per_row);
  runtime::parallel_for(n, grain, token, [&](index_t, index_t begin, index_t end) {
    const auto slot = static_cast<std::size_t>(runtime::worker_slot());
    Scratch& mine = scratch_[slot];
    if (slot > 0) mine.wide.resize(layout_.size());
    Entry* wide = slot == 0 ? histogram.data() : mine.wide.data();
    add_rows(mine, 0, bins_.n_blocks(), rows.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)),
             entries, wide);
  });
  for (std::size_t slot = 0; slot < scratch_.size(); ++slot)
    flush(scratch_[slot], 0, bins_.n_blocks(), entries.packing, slot == 0 ? histogram.data() : scratch_[slot].wide.data());
  if (!scratch_[0].used) std::ranges::fill(histogram, Entry{});
  for (std::size_t slot = 1; slot < scratch_.size(); ++slot)
    if (scratch_[slot].used)
      simd::histogram().add(plain(histogram.data()), plain(scratch_[slot].wide.data()), static_cast<index_t>(histogram.size()));
}

void HistogramBuilder::by_blocks(std::span<const std::uint32_t> rows, const RowEntries& entries, std::span<Entry> histogram,
                                 runtime::CancelToken& token) {
  prepare(entries, 1);
  const index_t work = std::max<index_t>(1, static_cast<index_t>(rows.size()) * BinnedMatrix::kBlock);
  runtime::parallel_for(bins_.n_blocks(), std::max<index_t>(1, kLeastWork / work), token, [&](index_t, index_t begin, index_t end) {
    Scratch& mine = scratch_[static_cast<std::size_t>(runtime::worker_slot())];
    for (index_t b = begin; b < end; ++b) {
      mine.used = false;
      add_rows(mine, b, b + 1, rows, entries, histogram.data());
      flush(mine, b, b + 1, entries.packing, histogram.data());
      if (!mine.used)
        std::fill(histogram.begin() + layout_.offset[static_cast<std::size_t>(bins_.block_begin(b))],
                  histogram.begin() + layout_.offset[static_cast<std::size_t>(bins_.block_begin(b) + bins_.block_features(b))],
                  Entry{});
    }
  });
}

// Adds rows to some blocks of features; packed sums may stay pending.
void HistogramBuilder::add_rows(Scratch& mine, index_t first_block, index_t last_block, std::span<const std::uint32_t> rows,
                                const RowEntries& entries, Entry* wide) const {
  if (entries.packed.empty()) {
    const std::size_t begin = layout_.begin(bins_.block_begin(first_block));
    const std::size_t end = layout_.begin(bins_.block_begin(last_block - 1) + bins_.block_features(last_block - 1));
    if (!mine.used) std::fill(wide + begin, wide + end, Entry{});
    mine.used = true;
    for (index_t b = first_block; b < last_block; ++b) add_wide(bins_, layout_, b, rows, entries.wide.data(), wide);
    return;
  }
  while (!rows.empty()) {
    if (mine.pending == entries.packing.block_rows) flush(mine, first_block, last_block, entries.packing, wide);
    const auto room = static_cast<std::size_t>(entries.packing.block_rows - mine.pending);
    const auto some = rows.first(std::min(room, rows.size()));
    for (index_t b = first_block; b < last_block; ++b)
      add_packed(mine.packed.data() + (b - first_block) * BinnedMatrix::kBlock * stride_, b, some, entries.packed.data());
    mine.pending += static_cast<index_t>(some.size());
    rows = rows.subspan(some.size());
  }
}

void HistogramBuilder::add_packed(std::uint64_t* packed, index_t b, std::span<const std::uint32_t> rows,
                                  const std::uint64_t* row_values) const {
  const Block block = block_of(bins_, b);
  if (stride_ == 16) add_packed_as<16>(block, rows, row_values, packed);
  else if (stride_ == 64) add_packed_as<64>(block, rows, row_values, packed);
  else add_packed_as<256>(block, rows, row_values, packed);
}

void HistogramBuilder::flush(Scratch& mine, index_t first_block, index_t last_block, const Packing& packing, Entry* wide) const {
  if (mine.pending == 0) return;
  const index_t first = bins_.block_begin(first_block);
  const index_t last = bins_.block_begin(last_block - 1) + bins_.block_features(last_block - 1);
  for (index_t j = first; j < last; ++j)
    simd::histogram().flush(mine.packed.data() + (j - first) * stride_, static_cast<index_t>(layout_.n_codes(j)),
                            packing.h_bits, packing.n_bits, packing.count_bits, packing.hn_of_one, !mine.used,
                            plain(wide + layout_.begin(j)));
  mine.pending = 0;
  mine.used = true;
}

void subtract_histogram(std::span<Entry> parent, std::span<const Entry> smaller) {
  simd::histogram().subtract(plain(parent.data()), plain(smaller.data()), static_cast<index_t>(parent.size()));
}

}  // namespace mlwright::tree
