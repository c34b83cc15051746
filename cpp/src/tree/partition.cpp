#include "mlwright/tree/partition.hpp"

#include <cstring>
#include <utility>
#include <vector>

#include "mlwright/runtime/parallel.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kGrain = 16384;
constexpr index_t kFarAhead = 64;  // rows: a code that no other row's line has brought is 100 ns away, a row 2 ns of work
constexpr index_t kFarApart = 32;  // rows so far apart, on average, are fetched ahead

// Which codes go left, as a table: the loop then has no case for missing values.
struct GoesLeft {
  std::uint8_t left[256];
  explicit GoesLeft(const CodeTest& test) {
    for (int code = 0; code < 256; ++code)
      left[code] = test.left_codes != nullptr ? test.left_codes->has(code) : code <= test.bin;
    if (test.has_missing) left[test.missing_code] = test.missing_left;
  }
};

// Left rows go to left[0], left[1], ..., the others to right[-1], right[-2], ... `left` may be `rows`. Branch-free: both
// places are written, one position moves. Returns how many go left.
index_t partition_chunk(const std::uint32_t* rows, index_t n, const std::uint8_t* column, const GoesLeft& test,
                        std::uint32_t* left, std::uint32_t* right) {
  index_t n_left = 0, i = 0;
  const auto place = [&] {
    const std::uint32_t row = rows[i];
    const index_t goes_left = test.left[column[row]];
    left[n_left] = row;
    right[n_left - i - 1] = row;
    n_left += goes_left;
  };
  if (n > 0 && index_t{rows[n - 1]} - rows[0] > kFarApart * n)
    for (; i < n - kFarAhead; ++i) {
      __builtin_prefetch(column + rows[i + kFarAhead]);
      place();
    }
  for (; i < n; ++i) place();
  return n_left;
}

void copy_reversed(std::uint32_t* to, const std::uint32_t* from_end, index_t n) {
  for (index_t i = 0; i < n; ++i) to[i] = from_end[-1 - i];
}

}  // namespace

index_t partition_rows(std::span<std::uint32_t> rows, std::span<std::uint32_t> scratch, const std::uint8_t* column,
                       const CodeTest& test, runtime::CancelToken& token) {
  const index_t n = static_cast<index_t>(rows.size());
  const GoesLeft goes_left(test);
  if (n <= kGrain) {
    const index_t n_left = partition_chunk(rows.data(), n, column, goes_left, rows.data(), scratch.data() + n);
    copy_reversed(rows.data() + n_left, scratch.data() + n, n - n_left);
    return n_left;
  }
  std::vector<index_t> lefts(static_cast<std::size_t>(runtime::n_chunks(n, kGrain)));
  runtime::parallel_for(n, kGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    lefts[static_cast<std::size_t>(chunk)] = partition_chunk(rows.data() + begin, end - begin, column, goes_left,
                                                             scratch.data() + begin, scratch.data() + end);
  });
  index_t n_left = 0;  // and each chunk's own: how many went left before it
  for (index_t& left : lefts) n_left += std::exchange(left, n_left);
  runtime::parallel_for(n, kGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    const index_t before = lefts[static_cast<std::size_t>(chunk)];
    const index_t after = end == n ? n_left : lefts[static_cast<std::size_t>(chunk) + 1];
    std::memcpy(rows.data() + before, scratch.data() + begin, static_cast<std::size_t>(after - before) * sizeof(std::uint32_t));
    copy_reversed(rows.data() + n_left + (begin - before), scratch.data() + end, (end - begin) - (after - before));
  });
  return n_left;
}

}  // namespace mlwright::tree
