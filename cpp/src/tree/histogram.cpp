#include "mlwright/tree/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "mlwright/base/checked.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/tree/sparse_histogram.hpp"
#include "simd/histogram.hpp"

namespace mlwright::tree {
namespace {

// Rows ahead: to the second-level cache while memory answers, and to the first, where what comes early is gone again among
// the sums before its turn, shortly before it.
constexpr int kFarAhead = 24, kAhead = 4;
constexpr index_t kLeastWork = 1 << 15, kMostWork = 1 << 16;  // updates a chunk: 13 to 30 us
constexpr int kCoarseG = 15, kCoarseH = 12, kCoarseGAlone = 30;

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

// Whether the rows are one after another; of scattered ones the first pair mostly tells.
bool are_a_stretch(std::span<const std::uint32_t> rows) {
  std::size_t i = 0;
  while (i < rows.size() && rows[i] == rows[0] + i) ++i;
  return i == rows.size();
}

// add(codes of the row, its value) for every row, the rows to come prefetched where the processor could not guess them.
template <class Value, class Add>
inline void for_rows(const Block& block, std::span<const std::uint32_t> rows, const Value* row_values, Add add_row) {
  const index_t n = static_cast<index_t>(rows.size());
  if (are_a_stretch(rows)) {
    const index_t first = n == 0 ? 0 : index_t{rows[0]};
    for (index_t row = first; row < first + n; ++row) add_row(block.codes + row * block.stride, row_values + row);
    return;
  }
  const index_t first = std::min<index_t>(n, kFarAhead), ahead = n - first;
  const auto fetch = [&]<int kLocality>(index_t row, std::integral_constant<int, kLocality>) {
    __builtin_prefetch(block.codes + row * block.stride, 0, kLocality);
    __builtin_prefetch(row_values + row, 0, kLocality);
  };
  for (const std::uint32_t row : rows.first(static_cast<std::size_t>(first))) fetch(row, std::integral_constant<int, 3>());
  index_t i = 0;
  for (; i < ahead; ++i) {
    const std::uint32_t* row = rows.data() + i;
    fetch(row[kFarAhead], std::integral_constant<int, 2>());
    fetch(row[kAhead], std::integral_constant<int, 3>());
    add_row(block.codes + row[0] * block.stride, row_values + row[0]);
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

template <int kStride, bool kVaries>
void add_packed_as(const Block& block, std::span<const std::uint32_t> rows, const std::uint32_t* row_values,
                   std::uint64_t* packed) {
  for_rows(block, rows, row_values, [&](const std::uint8_t* codes, const std::uint32_t* value) {
    add_packed_row<kStride>(block, codes, packed, Packing::sum_of<kVaries>(*value));
  });
}

template <int kStride>
void add_packed_as(const Block& block, std::span<const std::uint32_t> rows, const RowEntries& entries, std::uint64_t* packed) {
  if (entries.packing.h_bits > 0) add_packed_as<kStride, true>(block, rows, entries.packed.data(), packed);
  else add_packed_as<kStride, false>(block, rows, entries.packed.data(), packed);
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
  packing.n_bits = constant_hessian ? kOnesBits : kCountBits;
  packing.h_bits = constant_hessian ? 0 : kSumBits;
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
                             index_t grain, const Then& then, runtime::CancelToken& token) {
  const runtime::ThreadLimit pinned(runtime::max_threads());  // as many threads as there is scratch memory for
  const bool few_blocks = bins_.n_blocks() < 2 * runtime::max_threads();  // too few to be dealt out evenly
  const bool shares_rows = bins_.sparse() == nullptr && few_blocks;
  if (shares_rows) by_rows(rows, entries, histogram, token);
  else if (bins_.sparse() == nullptr) by_blocks(rows, entries, histogram, token);
  else build_sparse_histogram(*bins_.sparse(), rows, entries, histogram, token);
  runtime::parallel_for(bins_.n_features(), grain, token, [&](index_t chunk, index_t first, index_t last) {
    if (shares_rows) join_threads(first, last, entries.packing, histogram);
    then(chunk, first, last);
  });
  if (shares_rows) settle();
}

void HistogramBuilder::prepare(const RowEntries& entries, index_t blocks_at_once) {
  if (scratch_.size() < static_cast<std::size_t>(runtime::max_threads()))
    scratch_.resize(static_cast<std::size_t>(runtime::max_threads()));
  const auto size = static_cast<std::size_t>(blocks_at_once * BinnedMatrix::kBlock * stride_);
  for (Scratch& mine : scratch_) {
    const bool make = !entries.packed.empty() && mine.packed.size() < size;
    if (make) mine.packed = Buffer<std::uint64_t>(size);
    if (make || mine.pending > 0) std::ranges::fill(mine.packed, 0);  // pending: an interrupted call left it so
    mine.pending = mine.first_feature = 0;
    mine.used = false;
  }
}

// Threads share the rows, each with a histogram of its own, to be joined. The sums being of integers, it does not matter
// which thread took which rows.
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
}

// Features [first, last) of by_rows().
void HistogramBuilder::join_threads(index_t first, index_t last, const Packing& packing, std::span<Entry> histogram) {
  const std::size_t begin = layout_.begin(first), size = layout_.begin(last) - begin;
  for (std::size_t slot = 0; slot < scratch_.size(); ++slot) {
    Scratch& mine = scratch_[slot];
    Entry* wide = slot == 0 ? histogram.data() : mine.wide.data();
    const bool has_any = mine.used || mine.pending > 0;
    if (mine.pending > 0) flush(mine, first, last, packing, wide);
    if (slot == 0 && !has_any) std::fill_n(wide + begin, size, Entry{});
    if (slot > 0 && has_any)
      simd::histogram().add(plain(histogram.data() + begin), plain(wide + begin), static_cast<index_t>(size));
  }
}

void HistogramBuilder::settle() {
  for (Scratch& mine : scratch_) mine.pending = 0;
}

void HistogramBuilder::by_blocks(std::span<const std::uint32_t> rows, const RowEntries& entries, std::span<Entry> histogram,
                                 runtime::CancelToken& token) {
  prepare(entries, 1);
  const index_t work = std::max<index_t>(1, static_cast<index_t>(rows.size()) * BinnedMatrix::kBlock);
  runtime::parallel_for(bins_.n_blocks(), std::max<index_t>(1, kLeastWork / work), token, [&](index_t, index_t begin, index_t end) {
    Scratch& mine = scratch_[static_cast<std::size_t>(runtime::worker_slot())];
    for (index_t b = begin; b < end; ++b) {
      mine.used = false;
      mine.first_feature = bins_.block_begin(b);
      add_rows(mine, b, b + 1, rows, entries, histogram.data());
      flush_blocks(mine, b, b + 1, entries.packing, histogram.data());
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
    if (mine.pending == entries.packing.block_rows) flush_blocks(mine, first_block, last_block, entries.packing, wide);
    const auto room = static_cast<std::size_t>(entries.packing.block_rows - mine.pending);
    const auto some = rows.first(std::min(room, rows.size()));
    for (index_t b = first_block; b < last_block; ++b)
      add_packed(mine.packed.data() + (b - first_block) * BinnedMatrix::kBlock * stride_, b, some, entries);
    mine.pending += static_cast<index_t>(some.size());
    rows = rows.subspan(some.size());
  }
}

void HistogramBuilder::add_packed(std::uint64_t* packed, index_t b, std::span<const std::uint32_t> rows,
                                  const RowEntries& entries) const {
  const Block block = block_of(bins_, b);
  if (stride_ == 16) add_packed_as<16>(block, rows, entries, packed);
  else if (stride_ == 64) add_packed_as<64>(block, rows, entries, packed);
  else add_packed_as<256>(block, rows, entries, packed);
}

// Adds the pending sums of features [first, last) to the wide ones.
void HistogramBuilder::flush(Scratch& mine, index_t first, index_t last, const Packing& packing, Entry* wide) const {
  for (index_t j = first; j < last; ++j)
    simd::histogram().flush(mine.packed.data() + (j - mine.first_feature) * stride_, static_cast<index_t>(layout_.n_codes(j)),
                            packing.h_bits, packing.n_bits, packing.count_bits, packing.hn_of_one, !mine.used,
                            plain(wide + layout_.begin(j)));
}

void HistogramBuilder::flush_blocks(Scratch& mine, index_t first_block, index_t last_block, const Packing& packing,
                                    Entry* wide) const {
  if (mine.pending == 0) return;
  flush(mine, bins_.block_begin(first_block), bins_.block_begin(last_block - 1) + bins_.block_features(last_block - 1), packing,
        wide);
  mine.pending = 0;
  mine.used = true;
}

void subtract_histogram(std::span<Entry> parent, std::span<const Entry> smaller) {
  simd::histogram().subtract(plain(parent.data()), plain(smaller.data()), static_cast<index_t>(parent.size()));
}

}  // namespace mlwright::tree
