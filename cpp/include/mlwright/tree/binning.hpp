// Columns of numbers to bins of at most 256 codes: thresholds from weighted quantiles, then one byte a value.
//
// Value x of a feature with thresholds t_0 < t_1 < ... has code #{i : t_i < x}, so "code <= i" is "x <= t_i". Missing
// values (NaN) get the code one past the last threshold's. A feature of at most max_bins distinct values is cut at the
// midpoints between them; otherwise at the weighted quantiles k / max_bins (averaged inverse CDF), for which a row of
// integer weight w equals the row repeated w times.
//
// thresholds(): one radix sort a column, O(n) a column; above kSampleRows unweighted rows, one random row of each of
// kSampleRows equal strata is looked at instead. Thread-safe. Deterministic for a seed; independent of threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "mlwright/base/buffer.hpp"
#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/tree/sparse_bins.hpp"

namespace mlwright::tree {

inline constexpr index_t kSampleRows = 200'000;
inline constexpr int kMaxBins = 255;  // without the code of missing values

// The thresholds of feature j are values[offsets[j]] .. values[offsets[j + 1] - 1], strictly increasing and finite.
struct Thresholds {
  std::vector<double> values;
  std::vector<index_t> offsets;

  std::span<const double> of(index_t feature) const {
    const auto begin = static_cast<std::size_t>(offsets[static_cast<std::size_t>(feature)]);
    const auto end = static_cast<std::size_t>(offsets[static_cast<std::size_t>(feature) + 1]);
    return {values.data() + begin, end - begin};
  }
};

// weight: empty for all ones; rows of weight zero are not looked at.
template <class T>
Thresholds find_thresholds(MatrixView<const T> x, std::span<const double> weight, int max_bins, std::uint64_t seed,
                           runtime::CancelToken& token);

// The binned matrix, twice: rows (for histograms) in blocks of kBlock features, and columns (for partitions).
class BinnedMatrix {
 public:
  static constexpr index_t kBlock = 64;

  template <class T>
  BinnedMatrix(MatrixView<const T> x, Thresholds thresholds, runtime::CancelToken& token);

  // Values not stored are zeros. Kept as SparseBins where that is smaller.
  template <class T, class Index>
  BinnedMatrix(const SparseColumns<T, Index>& x, Thresholds thresholds, runtime::CancelToken& token);

  // Codes found before; `rows` of them, in that order. Throws InvalidArgument where a code is none of the thresholds'.
  BinnedMatrix(MatrixView<const std::uint8_t> codes, std::span<const std::uint32_t> rows, Thresholds thresholds,
               runtime::CancelToken& token);
  BinnedMatrix(SparseBins bins, Thresholds thresholds, runtime::CancelToken& token);

  // The rows given, in that order, as a matrix of its own: as if they had been binned by the same thresholds.
  BinnedMatrix take(std::span<const std::uint32_t> rows, runtime::CancelToken& token) const;

  // A value of each code: the bin's upper end, +infinity for the last bin, NaN for missing ones. Binned by the same
  // thresholds they have the same codes, and any tree of those thresholds sends them where the value itself goes.
  void values(std::span<const std::int32_t> features, index_t first_row, MatrixView<double> out,
              runtime::CancelToken& token) const;

  // Not null: there are no blocks and columns, but these bins.
  const SparseBins* sparse() const noexcept { return sparse_.get(); }

  index_t n_rows() const noexcept { return n_rows_; }
  index_t n_features() const noexcept { return n_features_; }
  index_t n_blocks() const noexcept { return (n_features_ + kBlock - 1) / kBlock; }
  index_t block_begin(index_t block) const noexcept { return block * kBlock; }
  index_t block_features(index_t block) const noexcept { return std::min(kBlock, n_features_ - block * kBlock); }
  index_t block_stride(index_t block) const noexcept { return (block_features(block) + 7) / 8 * 8; }
  // Row 0 of a block; readable up to 8 bytes past each row's features.
  const std::uint8_t* block(index_t b) const noexcept { return rows_.data() + b * kBlock * n_rows_; }
  const std::uint8_t* column(index_t feature) const noexcept { return columns_.data() + feature * n_rows_; }
  void copy_column(index_t feature, std::span<std::uint8_t> codes) const;
  const Thresholds& thresholds() const noexcept { return thresholds_; }
  int n_bins(index_t feature) const { return static_cast<int>(thresholds_.of(feature).size()) + 1; }  // not missing
  bool has_missing(index_t feature) const { return has_missing_[static_cast<std::size_t>(feature)] != 0; }
  // All codes of a feature, the missing one last if there is one.
  int n_codes(index_t feature) const { return n_bins(feature) + (has_missing(feature) ? 1 : 0); }

 private:
  template <class T>
  void fill_columns(MatrixView<const T> x, runtime::CancelToken& token);
  void fill_rows(runtime::CancelToken& token);
  void keep(SparseBins bins, runtime::CancelToken& token);

  // Stored values a cell below which sparse bins are the smaller ones: they take 7 to 9 bytes a value, a dense cell 2.
  static constexpr double kSparse = 0.25;

  index_t n_rows_;
  index_t n_features_;
  Thresholds thresholds_;
  Buffer<std::uint8_t> columns_;
  Buffer<std::uint8_t> rows_;
  std::vector<std::uint8_t> has_missing_;
  std::unique_ptr<const SparseBins> sparse_;
};

}  // namespace mlwright::tree
