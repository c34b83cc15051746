// Where the bins of one column end: from its distinct values and how much weight lies at or below each.
#pragma once

#include <cstdint>
#include <bit>
#include <vector>

namespace mlwright::tree {

// The values of a column that are not missing, ascending and distinct. cumulative: the sum of the weights of all rows up to
// each, added up in the order of the sorted rows (equals: in row order), so that it has the same bits however it is found.
struct Runs {
  std::vector<double> value;
  std::vector<double> cumulative;
};

// Doubles in the order of unsigned integers; -0.0 and 0.0 are one value.
inline std::uint64_t to_key(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x + 0.0);
  return bits >> 63 ? ~bits : bits | (std::uint64_t{1} << 63);
}
inline double from_key(std::uint64_t key) {
  return std::bit_cast<double>(key >> 63 ? key ^ (std::uint64_t{1} << 63) : ~key);
}

// Midpoints between the values where there are at most max_bins, else the averaged inverse of the weighted distribution
// function at k / max_bins, k = 1 .. max_bins - 1. Strictly increasing and finite.
std::vector<double> cuts_of(const Runs& runs, int max_bins);

}  // namespace mlwright::tree
