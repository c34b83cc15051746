#include "mlwright/tree/sparse_histogram.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "mlwright/runtime/parallel.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kRowGrain = 1024;  // most nodes of indicator columns are of a few thousand rows
constexpr index_t kPrefetch = 12;  // rows ahead

typedef std::int64_t Pair __attribute__((vector_size(16)));  // an Entry as one SSE2/NEON vector

inline void add(Entry* to, Pair value) {
  Pair sum;
  std::memcpy(&sum, to, sizeof sum);
  sum += value;
  std::memcpy(static_cast<void*>(to), &sum, sizeof sum);
}

template <class Slot>
void accumulate(const Slot* slots, const index_t* row_begin, std::span<const std::uint32_t> rows, const RowEntries& entries,
                Entry* histogram) {
  const auto n = static_cast<index_t>(rows.size());
  for (index_t i = 0; i < n; ++i) {
    const std::size_t coming = rows[static_cast<std::size_t>(std::min(i + kPrefetch, n - 1))];
    __builtin_prefetch(slots + row_begin[coming]);
    const std::size_t row = rows[static_cast<std::size_t>(i)];
    const Entry entry = entries[row];
    const Pair value = {entry.g, static_cast<std::int64_t>(entry.hn)};
    for (index_t k = row_begin[row]; k < row_begin[row + 1]; ++k) add(histogram + slots[k], value);
  }
}

void accumulate(const SparseBins& bins, std::span<const std::uint32_t> rows, const RowEntries& entries, Entry* histogram) {
  if (bins.wide().empty()) accumulate(bins.narrow().data(), bins.row_begin(), rows, entries, histogram);
  else accumulate(bins.wide().data(), bins.row_begin(), rows, entries, histogram);
}

}  // namespace

void build_sparse_histogram(const SparseBins& bins, std::span<const std::uint32_t> rows, const RowEntries& entries,
                            std::span<Entry> histogram, runtime::CancelToken& token) {
  std::ranges::fill(histogram, Entry{});
  // A thread of its own must be worth a histogram to clear and to add.
  const index_t a_row = std::max<index_t>(1, bins.n_stored() / std::max<index_t>(1, bins.n_rows()));
  const index_t grain = std::max(kRowGrain, static_cast<index_t>(4 * histogram.size()) / a_row);
  if (static_cast<index_t>(rows.size()) <= grain) return accumulate(bins, rows, entries, histogram.data());
  const runtime::ThreadLimit pinned(runtime::max_threads());  // as many slots as there will be workers
  std::vector<std::vector<Entry>> others(static_cast<std::size_t>(runtime::max_threads()));
  runtime::parallel_for(static_cast<index_t>(rows.size()), grain, token, [&](index_t, index_t begin, index_t end) {
    const auto worker = static_cast<std::size_t>(runtime::worker_slot());
    if (worker > 0 && others[worker].empty()) others[worker].resize(histogram.size());
    accumulate(bins, rows.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)), entries,
               worker == 0 ? histogram.data() : others[worker].data());
  });
  for (const std::vector<Entry>& other : others)
    for (std::size_t k = 0; k < other.size(); ++k) {
      histogram[k].g += other[k].g;
      histogram[k].hn += other[k].hn;
    }
}

void complete_codes(const SparseBins& bins, std::span<const Entry> histogram, index_t feature, const Entry& node,
                    std::span<Entry> codes) {
  const Entry* slot = histogram.data() + bins.slots()[static_cast<std::size_t>(feature)];
  const std::size_t zero = bins.default_code(feature);
  Entry rest = node;
  for (std::size_t code = 0; code < codes.size(); ++code) {
    if (code == zero) continue;
    codes[code] = *slot++;
    rest.g -= codes[code].g;
    rest.hn -= codes[code].hn;
  }
  codes[zero] = rest;
}

}  // namespace mlwright::tree
