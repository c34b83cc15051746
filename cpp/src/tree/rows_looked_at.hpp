// What dense and sparse binning share besides the cuts: which rows thresholds are found from, and how they are joined.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/tree/binning.hpp"

namespace mlwright::tree {

// The rows that thresholds are found from, ascending: all, or one of each of kSampleRows equal strata.
std::vector<std::uint32_t> rows_to_look_at(index_t n_rows, std::span<const double> weight, std::uint64_t seed);

Thresholds join(const std::vector<std::vector<double>>& cuts);

}  // namespace mlwright::tree
