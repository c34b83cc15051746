#include "mlwright/tree/sparse_bins.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/tree/binning.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kRowGrain = 8192;  // rows whose slots stay in the second-level cache while all columns are gone through
constexpr index_t kColumnGrain = 64;

std::uint8_t code_of(double x, std::span<const double> cuts) {
  if (x != x) return static_cast<std::uint8_t>(cuts.size() + 1);
  return static_cast<std::uint8_t>(std::ranges::lower_bound(cuts, x) - cuts.begin());
}

std::size_t at(index_t i) { return static_cast<std::size_t>(i); }

}  // namespace

template <class T, class Index>
void SparseColumns<T, Index>::check() const {
  const auto refuse = [](const char* what) { throw InvalidArgument(std::string("X: a sparse matrix ") + what); };
  if (n_rows < 0 || n_rows > std::numeric_limits<std::uint32_t>::max()) refuse("of too many rows; expected below 2^32");
  if (pointer.empty() || pointer.front() != 0 || row.size() != value.size() ||
      static_cast<std::size_t>(pointer.back()) != row.size())
    refuse("whose pointers do not fit its values");
  for (index_t j = 0; j < n_cols(); ++j)
    if (pointer[at(j)] > pointer[at(j) + 1]) refuse("whose pointers fall");
  for (index_t j = 0; j < n_cols(); ++j) {
    index_t last = -1;
    for (Index k = pointer[at(j)]; k < pointer[at(j) + 1]; ++k) {
      const auto i = static_cast<index_t>(row[at(k)]);
      if (i <= last || i >= n_rows) refuse("whose indices are out of range or order");
      last = i;
    }
  }
}

template <class T, class Index>
SparseBins::SparseBins(const SparseColumns<T, Index>& x, const Thresholds& thresholds, runtime::CancelToken& token)
    : n_rows_(x.n_rows) {
  const index_t p = x.n_cols();
  std::vector<std::uint8_t> codes(x.value.size());
  columns_.pointer.assign(at(p) + 1, 0);
  runtime::parallel_for(p, kColumnGrain, token, [&](index_t, index_t begin, index_t end) {
    for (index_t j = begin; j < end; ++j) {
      const auto cuts = thresholds.of(j);
      const std::uint8_t zero = code_of(0.0, cuts);
      index_t kept = 0;
      for (Index k = x.pointer[at(j)]; k < x.pointer[at(j) + 1]; ++k) {
        codes[at(k)] = code_of(static_cast<double>(x.value[at(k)]), cuts);
        kept += codes[at(k)] != zero;
      }
      columns_.pointer[at(j) + 1] = kept;
    }
  });
  for (index_t j = 0; j < p; ++j) columns_.pointer[at(j) + 1] += columns_.pointer[at(j)];
  columns_.row.resize(at(n_stored()));
  columns_.code.resize(at(n_stored()));
  runtime::parallel_for(p, kColumnGrain, token, [&](index_t, index_t begin, index_t end) {
    for (index_t j = begin; j < end; ++j) {
      const std::uint8_t zero = code_of(0.0, thresholds.of(j));
      auto to = at(columns_.pointer[at(j)]);
      for (Index k = x.pointer[at(j)]; k < x.pointer[at(j) + 1]; ++k) {
        if (codes[at(k)] == zero) continue;
        columns_.row[to] = static_cast<std::uint32_t>(x.row[at(k)]);
        columns_.code[to++] = codes[at(k)];
      }
    }
  });
  lay_out(thresholds);
  fill_rows(token);
}

SparseBins::SparseBins(Columns columns, index_t n_rows, const Thresholds& thresholds, runtime::CancelToken& token)
    : n_rows_(n_rows), columns_(std::move(columns)) {
  lay_out(thresholds);
  for (index_t j = 0; j < n_features(); ++j) {
    index_t last = -1;
    for (auto k = at(columns_.pointer[at(j)]); k < at(columns_.pointer[at(j) + 1]); ++k) {
      if (columns_.row[k] <= last || columns_.row[k] >= n_rows_ || columns_.code[k] > thresholds.of(j).size() + 1 ||
          columns_.code[k] == default_[at(j)])
        throw InvalidArgument("binned matrix: its stored codes do not fit; it is damaged");
      last = columns_.row[k];
    }
  }
  fill_rows(token);
}

void SparseBins::lay_out(const Thresholds& thresholds) {
  const std::size_t p = columns_.pointer.size() - 1;
  default_.resize(p);
  has_missing_.assign(p, 0);
  slot_.assign(p + 1, 0);
  for (std::size_t j = 0; j < p; ++j) {
    const auto cuts = thresholds.of(static_cast<index_t>(j));
    default_[j] = code_of(0.0, cuts);
    const std::uint8_t missing = static_cast<std::uint8_t>(cuts.size() + 1);
    for (auto k = at(columns_.pointer[j]); k < at(columns_.pointer[j + 1]) && has_missing_[j] == 0; ++k)
      has_missing_[j] = columns_.code[k] == missing;
    const std::uint64_t next = std::uint64_t{slot_[j]} + cuts.size() + has_missing_[j];
    if (next > std::numeric_limits<std::uint32_t>::max())
      throw InvalidArgument("X: got more than 2^32 bins; use a lower max_bins");
    slot_[j + 1] = static_cast<std::uint32_t>(next);
  }
}

void SparseBins::fill_rows(runtime::CancelToken& token) {
  row_begin_.assign(at(n_rows_) + 1, 0);
  for (const std::uint32_t row : columns_.row) ++row_begin_[std::size_t{row} + 1];
  for (std::size_t i = 0; i < at(n_rows_); ++i) row_begin_[i + 1] += row_begin_[i];
  if (n_slots() <= std::size_t{1} << 16) fill_slots(narrow_, token);
  else fill_slots(wide_, token);
}

template <class Slot>
void SparseBins::fill_slots(std::vector<Slot>& slots, runtime::CancelToken& token) {
  slots.resize(columns_.row.size());
  runtime::parallel_for(n_rows_, kRowGrain, token, [&](index_t, index_t begin, index_t end) {
    std::vector<index_t> to(row_begin_.begin() + begin, row_begin_.begin() + end);
    for (index_t j = 0; j < n_features(); ++j) {
      const auto first = columns_.row.begin() + columns_.pointer[at(j)], last = columns_.row.begin() + columns_.pointer[at(j) + 1];
      for (auto k = std::lower_bound(first, last, static_cast<std::uint32_t>(begin)); k != last && *k < end; ++k) {
        const std::uint8_t code = columns_.code[static_cast<std::size_t>(k - columns_.row.begin())];
        slots[at(to[*k - static_cast<std::size_t>(begin)]++)] = static_cast<Slot>(slot_[at(j)] + code - (code > default_[at(j)]));
      }
    }
  });
}

SparseBins SparseBins::take(std::span<const std::uint32_t> rows, const Thresholds& thresholds,
                            runtime::CancelToken& token) const {
  // Where each row of this matrix goes: to the places [first[row], first[row + 1]) of `place`, ascending.
  std::vector<index_t> first(at(n_rows_) + 1, 0);
  for (const std::uint32_t row : rows) ++first[std::size_t{row} + 1];
  for (std::size_t i = 0; i < at(n_rows_); ++i) first[i + 1] += first[i];
  std::vector<std::uint32_t> place(rows.size());
  {
    std::vector<index_t> next = first;
    for (std::size_t i = 0; i < rows.size(); ++i) place[at(next[rows[i]]++)] = static_cast<std::uint32_t>(i);
  }
  Columns taken;
  std::vector<std::pair<std::uint32_t, std::uint8_t>> column;
  for (index_t j = 0; j < n_features(); ++j) {
    if (j % 1024 == 0) token.poll();
    column.clear();
    for (auto k = at(columns_.pointer[at(j)]); k < at(columns_.pointer[at(j) + 1]); ++k)
      for (index_t c = first[columns_.row[k]]; c < first[std::size_t{columns_.row[k]} + 1]; ++c)
        column.emplace_back(place[at(c)], columns_.code[k]);
    std::ranges::sort(column);
    for (const auto& [row, code] : column) {
      taken.row.push_back(row);
      taken.code.push_back(code);
    }
    taken.pointer.push_back(static_cast<index_t>(taken.row.size()));
  }
  return SparseBins(std::move(taken), static_cast<index_t>(rows.size()), thresholds, token);
}

void SparseBins::spread(index_t feature, std::span<std::uint8_t> codes) const {
  std::ranges::fill(codes, default_[at(feature)]);
  for (auto k = at(columns_.pointer[at(feature)]); k < at(columns_.pointer[at(feature) + 1]); ++k)
    codes[columns_.row[k]] = columns_.code[k];
}

#define MLWRIGHT_INSTANTIATE(T, Index)           \
  template struct SparseColumns<T, Index>;       \
  template SparseBins::SparseBins(const SparseColumns<T, Index>&, const Thresholds&, runtime::CancelToken&);
MLWRIGHT_INSTANTIATE(double, std::int32_t)
MLWRIGHT_INSTANTIATE(double, std::int64_t)
MLWRIGHT_INSTANTIATE(float, std::int32_t)
MLWRIGHT_INSTANTIATE(float, std::int64_t)
#undef MLWRIGHT_INSTANTIATE

}  // namespace mlwright::tree
