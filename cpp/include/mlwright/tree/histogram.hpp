// Histograms of gradients, Hessians and counts per bin, in integers.
//
// An entry is two 64-bit integers: the sum of g and, packed, the sum of h (high bits) and the count (low bits). Integer
// sums are associative, so a histogram has the same bits for any order of rows, any number of threads and any instruction
// set; parent minus child is exact; counts are exact; and an integer weight w, multiplied in after rounding, is exactly w
// repetitions. Figures: docs/decisions/histograms.md.
//
// Rounding: units are powers of two chosen from the largest magnitude and the total count W so that no sum can overflow
// (FixedPoint::fit states the proof). With L the largest |g|, the unit of g is at most max(2^-49, W * 2^-59) * L: some
// 2^-40 L for W = 10^6. A sum over any rows is therefore off by at most max(W * 2^-50, W^2 * 2^-60) * L. Nothing is
// clipped: rows whose gradients are below the unit are rounded away, and all of them together weigh less than that.
//
// Packed rows: where coarser units do (FixedPoint::coarse, and the rule of the booster), a row's g and h share 32 bits, and
// g, h and count of a sum 64. Rows are then summed in blocks that no field can overflow, into histograms of 8-byte entries that
// mostly stay in the first-level cache, and each block is added to the wide entries: two thirds of the time, a quarter of the
// memory.
// Whether a row is packed changes no sum, only the unit does.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "mlwright/base/buffer.hpp"
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
  int h_exponent = 0;
  int h_bits = 0;      // h as round(h * 2^h_bits)
  int count_bits = 1;  // the low bits of Entry::hn that hold the count

  // largest_g, largest_h: bounds over single observations (before an integer weight multiplies them). total_count: the
  // sum of all counts W >= 1. Every stored sum of g is at most W * 2^g_bits < 2^61 in magnitude; every sum of h, one
  // rounding unit an observation included, is below 2^(64 - count_bits); every count is at most W < 2^count_bits.
  static FixedPoint fit(double largest_g, double largest_h, std::uint64_t total_count);
  bool operator==(const FixedPoint&) const = default;

  // The same with no more bits than packed rows have room for.
  FixedPoint coarse(bool constant_hessian) const noexcept;

  double g_scale() const noexcept;  // what gradients are multiplied by before rounding
  double h_scale() const noexcept;
  double g_unit() const noexcept;  // of Entry::g in the scale of the tree
  double h_unit() const noexcept;
  double unscaled_gain(double gain) const noexcept;  // at most the largest double: a gain is a square
  double unscaled_value(double value) const noexcept;  // a leaf's value, or a bound of it
  double g(const Entry& e) const noexcept;  // in the scale of the tree
  double h(const Entry& e) const noexcept;
  std::int64_t count(const Entry& e) const noexcept {
    return static_cast<std::int64_t>(e.hn & ((std::uint64_t{1} << count_bits) - 1));
  }
};

// The fields of a packed sum: g (signed) above h above the count. A packed row is g above h, and counts as one.
struct Packing {
  static constexpr int kCountBits = 12, kSumBits = 24, kOnesBits = 16;  // of the count and h; of the count where h is constant
  int h_bits = 0;  // 0: h is one number for all rows, and has no field
  int n_bits = 0;
  int count_bits = 1;
  std::uint64_t hn_of_one = 0;  // Entry::hn of one row where h_bits is 0
  index_t block_rows = 0;       // as many rows may be summed before a field overflows

  static constexpr int kRowBits = 13;  // of a row's h

  // For integers of FixedPoint::coarse(). Rows have |g| <= 2^15 and h <= 2^12, or |g| <= 2^30 and no h; blocks are of
  // 2^12 - 1 or 2^16 - 1 rows; so the fields need (1 + 27) + 24 + 12 or (1 + 46) + 16 bits: 64.
  static Packing of(const FixedPoint& coarse, bool constant_hessian) noexcept;

  std::uint32_t row(std::int64_t g, std::uint64_t h) const noexcept {
    return h_bits > 0 ? static_cast<std::uint32_t>(g) << kRowBits | static_cast<std::uint32_t>(h) : static_cast<std::uint32_t>(g);
  }
  // A row as the sum of one.
  template <bool kVaries>
  static std::uint64_t sum_of(std::uint32_t v) noexcept {
    const std::int64_t signed_v = static_cast<std::int32_t>(v);
    if constexpr (!kVaries) return static_cast<std::uint64_t>(signed_v) << kOnesBits | 1;
    const std::uint64_t h = v & ((1U << kRowBits) - 1);
    return static_cast<std::uint64_t>(signed_v >> kRowBits) << (kSumBits + kCountBits) | h << kCountBits | 1;
  }
  std::uint64_t sum_of(std::uint32_t v) const noexcept { return h_bits > 0 ? sum_of<true>(v) : sum_of<false>(v); }
  Entry unpack(std::uint64_t v) const noexcept {
    const std::uint64_t n = v & ((std::uint64_t{1} << n_bits) - 1);
    const std::uint64_t h = v >> n_bits & ((std::uint64_t{1} << h_bits) - 1);
    return {static_cast<std::int64_t>(v) >> (h_bits + n_bits), h_bits > 0 ? h << count_bits | n : n * hn_of_one};
  }
};

// What each row adds to a histogram, in one of two forms.
struct RowEntries {
  std::span<const Entry> wide;            // empty if packed
  std::span<const std::uint32_t> packed;  // empty if wide
  Packing packing;

  Entry operator[](std::size_t row) const noexcept { return packed.empty() ? wide[row] : packing.unpack(packing.sum_of(packed[row])); }
};

// Where the codes of each feature start in a histogram; of sparse bins, its slots (sparse_bins.hpp).
struct HistogramLayout {
  std::vector<index_t> offset;  // n_features + 1
  explicit HistogramLayout(const BinnedMatrix& bins);
  std::size_t size() const noexcept { return static_cast<std::size_t>(offset.back()); }
  std::size_t begin(index_t feature) const noexcept {
    return static_cast<std::size_t>(offset[static_cast<std::size_t>(feature)]);
  }
  std::size_t n_codes(index_t feature) const noexcept { return begin(feature + 1) - begin(feature); }
};

// Makes histograms; holds the memory that threads need for it. Not thread-safe.
class HistogramBuilder {
 public:
  HistogramBuilder(const BinnedMatrix& bins, const HistogramLayout& layout);

  // histogram[offset[j] + code(i, j)] = sum over rows i of entries[i]. Overwrites. then(chunk, first, last) for chunks of
  // `grain` features, once theirs are complete; from several threads at once.
  using Then = std::function<void(index_t chunk, index_t first, index_t last)>;
  void build(std::span<const std::uint32_t> rows, const RowEntries& entries, std::span<Entry> histogram, index_t grain,
             const Then& then, runtime::CancelToken& token);

 private:
  struct Scratch {  // of one thread
    Buffer<std::uint64_t> packed;  // all zeros between calls; a feature's codes at feature * stride
    std::vector<Entry> wide;
    index_t pending = 0;  // rows in `packed`
    index_t first_feature = 0;  // of `packed`
    bool used = false;    // whether its wide histogram holds anything
  };

  void by_rows(std::span<const std::uint32_t> rows, const RowEntries& entries, std::span<Entry> histogram,
               runtime::CancelToken& token);
  void by_blocks(std::span<const std::uint32_t> rows, const RowEntries& entries, std::span<Entry> histogram,
                 runtime::CancelToken& token);
  void prepare(const RowEntries& entries, index_t blocks_at_once);
  void add_rows(Scratch& mine, index_t first_block, index_t last_block, std::span<const std::uint32_t> rows,
                const RowEntries& entries, Entry* wide) const;
  void add_packed(std::uint64_t* packed, index_t block, std::span<const std::uint32_t> rows, const RowEntries& entries) const;
  void flush(Scratch& mine, index_t first, index_t last, const Packing& packing, Entry* wide) const;
  void flush_blocks(Scratch& mine, index_t first_block, index_t last_block, const Packing& packing, Entry* wide) const;
  void join_threads(index_t first, index_t last, const Packing& packing, std::span<Entry> histogram);
  void settle();

  const BinnedMatrix& bins_;
  const HistogramLayout& layout_;
  index_t stride_;  // of a feature in packed histograms
  std::vector<Scratch> scratch_;
};

// larger = parent - smaller, written over the parent.
void subtract_histogram(std::span<Entry> parent, std::span<const Entry> smaller);

}  // namespace mlwright::tree
