#include "mlwright/tree/histogram_pool.hpp"

#include <algorithm>

namespace mlwright::tree {

HistogramPool::Kept* HistogramPool::find(std::int32_t node) noexcept {
  const auto at = std::ranges::find(kept_, node, &Kept::node);
  return at == kept_.end() ? nullptr : &*at;
}

std::span<Entry> HistogramPool::take(std::int32_t node, index_t n_rows) {
  Kept* kept = find(kFree);
  if (kept == nullptr) kept = &kept_.emplace_back();
  kept->entries.resize(n_entries_);
  kept->node = node;
  kept->n_rows = n_rows;
  return kept->entries;
}

std::span<Entry> HistogramPool::of(std::int32_t node) noexcept {
  Kept* kept = find(node);
  return kept == nullptr ? std::span<Entry>() : kept->entries;
}

void HistogramPool::hand_over(std::int32_t from, std::int32_t to, index_t n_rows) noexcept {
  if (Kept* kept = find(from)) {
    kept->node = to;
    kept->n_rows = n_rows;
  }
}

void HistogramPool::drop(std::int32_t node) noexcept {
  if (Kept* kept = find(node)) kept->node = kFree;
}

void HistogramPool::drop_all() noexcept {
  for (Kept& kept : kept_) kept.node = kFree;
}

void HistogramPool::trim() noexcept {
  const auto is_kept = [](const Kept& kept) { return kept.node != kFree; };
  for (auto n = std::ranges::count_if(kept_, is_kept); n > static_cast<std::ptrdiff_t>(kMost); --n) {
    const auto fewest = std::ranges::min_element(kept_, [&](const Kept& a, const Kept& b) {
      return is_kept(a) && (!is_kept(b) || a.n_rows < b.n_rows);
    });
    fewest->node = kFree;
  }
}

}  // namespace mlwright::tree
