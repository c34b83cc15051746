// Where the bins of one column end: from its distinct values and how much weight lies at or below each.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace mlwright::tree {

// The values of a column that are not missing, ascending and distinct. cumulative: the sum of the weights of all rows up to
// each, added up in the order of the sorted rows (equals: in row order), so that it has the same bits however it is found.
struct Runs {
  std::vector<double> value;
  std::vector<double> cumulative;
};

// Numbers in the order of unsigned integers of their size; -0 and 0 are one value. Floats are sorted as such: half the
// passes.
template <class T>
using KeyOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T>
KeyOf<T> to_key(T x) {
  constexpr KeyOf<T> kSign = KeyOf<T>{1} << (8 * sizeof(T) - 1);
  const auto bits = std::bit_cast<KeyOf<T>>(x + T{0});
  return bits & kSign ? static_cast<KeyOf<T>>(~bits) : bits | kSign;
}
template <class T>
double from_key(KeyOf<T> key) {
  constexpr KeyOf<T> kSign = KeyOf<T>{1} << (8 * sizeof(T) - 1);
  return std::bit_cast<T>(key & kSign ? key ^ kSign : static_cast<KeyOf<T>>(~key));
}

// Midpoints between the values where there are at most max_bins, else the averaged inverse of the weighted distribution
// function at k / max_bins, k = 1 .. max_bins - 1. Strictly increasing and finite.
std::vector<double> cuts_of(const Runs& runs, int max_bins);

}  // namespace mlwright::tree
