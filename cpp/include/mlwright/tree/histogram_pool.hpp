// The histograms of open leaves: of those with the most rows, so many as are kept.
//
// A leaf's histogram spares its larger child's rows a pass when the leaf is cut. A leaf without one costs that pass, and
// gets the same sums: integers do not tell how they were added up. So what is kept decides on memory and time alone, and
// dropping the leaves of fewest rows costs the least time. Not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/tree/histogram.hpp"

namespace mlwright::tree {

class HistogramPool {
 public:
  explicit HistogramPool(std::size_t n_entries) : n_entries_(n_entries) {}

  // A histogram for a node, its content of no meaning; it stays in place until it is dropped.
  std::span<Entry> take(std::int32_t node, index_t n_rows);
  // The node's; empty if it has none.
  std::span<Entry> of(std::int32_t node) noexcept;
  void hand_over(std::int32_t from, std::int32_t to, index_t n_rows) noexcept;
  void drop(std::int32_t node) noexcept;
  void drop_all() noexcept;
  // Drops those of the fewest rows until no more are kept than kMost.
  void trim() noexcept;

 private:
  static constexpr std::size_t kMost = 32;
  static constexpr std::int32_t kFree = -1;
  struct Kept {
    std::int32_t node = kFree;
    index_t n_rows = 0;
    std::vector<Entry> entries;
  };

  Kept* find(std::int32_t node) noexcept;

  std::size_t n_entries_;
  std::vector<Kept> kept_;
};

}  // namespace mlwright::tree
