// Numbers for rows that depend on the values of a row and of its target alone: the same for dense and sparse rows, whatever the
// order, and on every machine.
//   row_keys     of all entries: equal rows have equal keys, different ones with probability 1 - 2^-64. At the speed of memory.
//   brief_keys   of the first eight entries that are not zero: rows may share one, but rows of many entries are told apart
//                without reading the rest
#pragma once

#include <cstdint>
#include <span>

#include "mlwright/runtime/cancel.hpp"
#include "mlwright/solver/row_access.hpp"

namespace mlwright::solver {

template <class Rows>
void row_keys(const Rows& rows, std::span<const double> y, std::span<std::uint64_t> keys, runtime::CancelToken& token);
template <class Rows>
void brief_keys(const Rows& rows, std::span<const double> y, std::span<std::uint64_t> keys, runtime::CancelToken& token);

}  // namespace mlwright::solver
