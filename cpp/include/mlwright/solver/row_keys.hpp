// A number for each row that depends on the values of the row and of its target alone: the same for dense and sparse rows,
// whatever the order, and on every machine. Equal rows have equal keys, different ones with probability 1 - 2^-64.
// One pass over the entries, at the speed of memory.
#pragma once

#include <cstdint>
#include <span>

#include "mlwright/runtime/cancel.hpp"
#include "mlwright/solver/row_access.hpp"

namespace mlwright::solver {

// Returns whether all values of the rows are finite, which the pass finds out besides.
template <class Rows>
bool row_keys(const Rows& rows, std::span<const double> y, std::span<std::uint64_t> keys, runtime::CancelToken& token);

}  // namespace mlwright::solver
