// Order statistics of many rows of draws: what quantiles are interpolated from.
//
// A row's sorted sample brackets each place; one pass counts what is below and gathers what is between, of which the place is
// then selected (Floyd and Rivest 1975, Expected time bounds for selection, Communications of the ACM 18). A bracket that
// misses, as with many ties, selects among all. Cost: about two operations a draw and place. Rows side by side; the same bits
// for any number of threads. Thread-safe.
#pragma once

#include <span>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::sampler {

// out: rows x places x 2: the draw at a place of the sorted row, places from 0 to draws - 1, and the one after it (itself, of the last).
// values: rows x draws; a row with a NaN gives NaN.
void order_statistics(const double* values, index_t rows, index_t draws, std::span<const index_t> places, double* out,
                      runtime::CancelToken& token);

}  // namespace mlwright::sampler
