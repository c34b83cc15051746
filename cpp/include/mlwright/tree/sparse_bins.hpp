// A binned matrix most of whose values are zero: only codes other than zero's are stored, by columns and by rows.
//
// Columns (for partitions): rows and codes, 5 bytes a stored value. Rows (for histograms): the slot of each value in the
// histogram, 2 bytes while there are at most 2^16 slots, else 4. A histogram has no slot for the code of zero: its sum is the
// node's less the others', which for integers is exact. Building one takes O(stored values of the rows), and a split's
// column is spread out in O(rows + stored values). Bins, histograms and trees are to the bit those of the dense matrix.
// Thread-safe for reading. Deterministic.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::tree {

struct Thresholds;

// Columns in compressed form; the rows of a column ascend strictly. Values that are not there are zeros.
template <class T, class Index>
struct SparseColumns {
  std::span<const Index> pointer;  // n_cols + 1
  std::span<const Index> row;
  std::span<const T> value;
  index_t n_rows = 0;

  index_t n_cols() const noexcept { return static_cast<index_t>(pointer.size()) - 1; }
  void check() const;  // throws InvalidArgument unless it is as said above
};

// Like find_thresholds of binning.hpp, and equal to it for the same numbers, in O(stored values) and, for columns of more
// than max_bins distinct values with weights, O(rows).
template <class T, class Index>
Thresholds find_thresholds(const SparseColumns<T, Index>& x, std::span<const double> weight, int max_bins, std::uint64_t seed,
                           runtime::CancelToken& token);

class SparseBins {
 public:
  // The codes of each column other than its default; rows ascend.
  struct Columns {
    std::vector<index_t> pointer{0};
    std::vector<std::uint32_t> row;
    std::vector<std::uint8_t> code;
  };

  template <class T, class Index>
  SparseBins(const SparseColumns<T, Index>& x, const Thresholds& thresholds, runtime::CancelToken& token);
  SparseBins(Columns columns, index_t n_rows, const Thresholds& thresholds, runtime::CancelToken& token);

  // The rows given, in that order, as a matrix of its own.
  SparseBins take(std::span<const std::uint32_t> rows, const Thresholds& thresholds, runtime::CancelToken& token) const;

  index_t n_rows() const noexcept { return n_rows_; }
  index_t n_features() const noexcept { return static_cast<index_t>(default_.size()); }
  index_t n_stored() const noexcept { return columns_.pointer.back(); }
  const Columns& columns() const noexcept { return columns_; }
  std::uint8_t default_code(index_t feature) const { return default_[static_cast<std::size_t>(feature)]; }
  bool has_missing(index_t feature) const { return has_missing_[static_cast<std::size_t>(feature)] != 0; }

  // Where the slots of each feature begin: one less than it has codes, the default's left out.
  std::span<const std::uint32_t> slots() const noexcept { return slot_; }
  std::size_t n_slots() const noexcept { return slot_.back(); }
  std::span<const std::uint16_t> narrow() const noexcept { return narrow_; }  // of row i: from row_begin(i)
  std::span<const std::uint32_t> wide() const noexcept { return wide_; }      // the same; one of the two is empty
  const index_t* row_begin() const noexcept { return row_begin_.data(); }

  // The codes of a whole column.
  void spread(index_t feature, std::span<std::uint8_t> codes) const;

 private:
  void lay_out(const Thresholds& thresholds);
  void fill_rows(runtime::CancelToken& token);
  template <class Slot>
  void fill_slots(std::vector<Slot>& slots, runtime::CancelToken& token);

  index_t n_rows_;
  Columns columns_;
  std::vector<std::uint8_t> default_, has_missing_;
  std::vector<std::uint32_t> slot_;
  std::vector<index_t> row_begin_;
  std::vector<std::uint16_t> narrow_;
  std::vector<std::uint32_t> wide_;
};

}  // namespace mlwright::tree
