#include "mlwright/tree/partition.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "mlwright/runtime/parallel.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kGrain = 32768;

// Which codes go left, as a table: the loop then has no case for missing values.
struct GoesLeft {
  std::uint8_t left[256];
  explicit GoesLeft(const CodeTest& test) {
    for (int code = 0; code < 256; ++code) left[code] = code <= test.bin;
    if (test.has_missing) left[test.missing_code] = test.missing_left;
  }
};

// Branch-free: both places are written, one position moves. Left rows stay at the front of `rows`.
index_t partition_chunk(std::uint32_t* rows, index_t n, const std::uint8_t* column, const GoesLeft& test,
                        std::uint32_t* right) {
  index_t n_left = 0, n_right = 0;
  for (index_t i = 0; i < n; ++i) {
    const std::uint32_t row = rows[i];
    const index_t left = test.left[column[row]];
    rows[n_left] = row;
    right[n_right] = row;
    n_left += left;
    n_right += 1 - left;
  }
  return n_left;
}

void copy(std::uint32_t* to, const std::uint32_t* from, index_t n) {
  std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof *to);
}

}  // namespace

index_t partition_rows(std::span<std::uint32_t> rows, std::span<std::uint32_t> scratch, const std::uint8_t* column,
                       const CodeTest& test, runtime::CancelToken& token) {
  const index_t n = static_cast<index_t>(rows.size());
  const GoesLeft goes_left(test);
  std::vector<index_t> lefts(static_cast<std::size_t>(runtime::n_chunks(n, kGrain)));
  runtime::parallel_for(n, kGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    lefts[static_cast<std::size_t>(chunk)] =
        partition_chunk(rows.data() + begin, end - begin, column, goes_left, scratch.data() + begin);
  });
  // Lefts move to the front (never over rows not moved yet); rights, which wait in scratch, follow.
  index_t n_left = 0;
  for (std::size_t chunk = 0; chunk < lefts.size(); ++chunk) {
    const index_t begin = static_cast<index_t>(chunk) * kGrain;
    if (begin != n_left)
      std::memmove(rows.data() + n_left, rows.data() + begin, static_cast<std::size_t>(lefts[chunk]) * sizeof(std::uint32_t));
    n_left += lefts[chunk];
  }
  index_t to = n_left;
  for (std::size_t chunk = 0; chunk < lefts.size(); ++chunk) {
    const index_t begin = static_cast<index_t>(chunk) * kGrain;
    const index_t n_right = std::min(n - begin, kGrain) - lefts[chunk];
    copy(rows.data() + to, scratch.data() + begin, n_right);
    to += n_right;
  }
  return n_left;
}

}  // namespace mlwright::tree
