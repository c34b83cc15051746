#include "mlwright/tree/small_nodes.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace mlwright::tree {
namespace {

constexpr int kCodes = 256;

// The sums of one feature's codes. All zeros between features.
class Sums {
 public:
  void add(int code, const Entry& entry) noexcept {
    of_code_[code].g += entry.g;
    of_code_[code].hn += entry.hn;
    occupied_[code / 64] |= std::uint64_t{1} << code % 64;
  }

  std::span<const Entry> all(int n_codes) const noexcept { return {of_code_, static_cast<std::size_t>(n_codes)}; }

  // The sums of codes that have rows, ascending, and which codes they are; how many. Clears them.
  int take(Entry* sums, std::uint8_t* codes) noexcept {
    int n = 0;
    for (int word = 0; word < kCodes / 64; ++word) {
      for (std::uint64_t bits = occupied_[word]; bits != 0; bits &= bits - 1) {
        const int code = 64 * word + std::countr_zero(bits);
        codes[n] = static_cast<std::uint8_t>(code);
        sums[n++] = of_code_[code];
        of_code_[code] = {};
      }
      occupied_[word] = 0;
    }
    return n;
  }

 private:
  Entry of_code_[kCodes] = {};
  std::uint64_t occupied_[kCodes / 64] = {};
};

}  // namespace

SmallNodes::SmallNodes(const BinnedMatrix& bins, const HistogramLayout& layout, std::vector<std::uint8_t> whole)
    : bins_(bins), whole_(std::move(whole)) {
  if (bins.sparse() == nullptr && bins.n_features() > 0)
    most_rows_ = std::min(kMostRows, static_cast<index_t>(layout.size()) / bins.n_features() / 2);
}

Split SmallNodes::best(std::span<const index_t> features, std::span<const std::uint32_t> rows, const RowEntries& entries,
                       const SplitSearch::OfFeature& of_feature) const {
  Entry of_row[kMostRows], occupied[kCodes + 1];
  std::uint8_t codes[kCodes];
  Sums sums;
  for (std::size_t i = 0; i < rows.size(); ++i) of_row[i] = entries[rows[i]];
  Split best;
  for (const index_t j : features) {
    const int n_codes = bins_.n_codes(j), missing_code = bins_.n_bins(j);
    if (n_codes < 2) continue;
    const index_t block = j / BinnedMatrix::kBlock, stride = bins_.block_stride(block);
    const std::uint8_t* code = bins_.block(block) + (j - bins_.block_begin(block));
    for (std::size_t i = 0; i < rows.size(); ++i) sums.add(code[rows[i] * stride], of_row[i]);
    Split split;
    if (whole_[static_cast<std::size_t>(j)] != 0) {
      split = of_feature(sums.all(n_codes), missing_code, j);
      sums.take(occupied, codes);
    } else {
      int n = sums.take(occupied, codes);
      if (n > 0 && codes[n - 1] == missing_code) --n;
      else occupied[n] = {};
      split = of_feature({occupied, static_cast<std::size_t>(n) + (bins_.has_missing(j) ? 1 : 0)}, n, j);
      split.bin = codes[split.bin];
    }
    if (split.found() && split.gain > best.gain) best = split;
  }
  return best;
}

}  // namespace mlwright::tree
