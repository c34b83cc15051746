#include "mlwright/tree/histogram_pool.hpp"

#include <algorithm>

#include "check.hpp"

using namespace mlwright;
using namespace mlwright::tree;

namespace {

constexpr std::size_t kEntries = 5;

}  // namespace

TEST(a_kept_histogram_is_its_nodes_until_it_is_handed_over_or_dropped) {
  HistogramPool pool(kEntries);
  pool.take(7, 100)[3].g = 42;
  pool.take(8, 50)[3].g = 43;
  CHECK(pool.of(7).size() == kEntries && pool.of(7)[3].g == 42 && pool.of(8)[3].g == 43);
  pool.hand_over(7, 9, 60);
  CHECK(pool.of(7).empty() && pool.of(9)[3].g == 42);
  pool.hand_over(7, 10, 5);  // has none
  CHECK(pool.of(10).empty());
  pool.drop(9);
  pool.drop(9);
  CHECK(pool.of(9).empty() && pool.of(8)[3].g == 43);
  pool.drop_all();
  CHECK(pool.of(8).empty());
}

TEST(histograms_of_the_fewest_rows_are_trimmed) {
  HistogramPool pool(kEntries);
  constexpr std::int32_t kNodes = 100;
  for (std::int32_t node = 0; node < kNodes; ++node) pool.take(node, 1000 - 3 * ((node * 37) % kNodes));
  pool.trim();
  index_t most_dropped = 0, fewest_kept = 1000;
  int n_kept = 0;
  for (std::int32_t node = 0; node < kNodes; ++node) {
    const index_t n_rows = 1000 - 3 * ((node * 37) % kNodes);
    if (pool.of(node).empty()) most_dropped = std::max(most_dropped, n_rows);
    else fewest_kept = std::min(fewest_kept, n_rows), ++n_kept;
  }
  CHECK(n_kept > 0 && n_kept < kNodes && most_dropped < fewest_kept);
  pool.trim();
  int after = 0;
  for (std::int32_t node = 0; node < kNodes; ++node) after += pool.of(node).empty() ? 0 : 1;
  CHECK(after == n_kept);
}
