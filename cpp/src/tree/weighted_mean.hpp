// Weighted means that do not depend on the order of rows, integer weights being repetitions; empty weights are all ones.
#pragma once

#include <span>

#include "mlwright/base/view.hpp"
#include "mlwright/tree/exact_sum.hpp"
#include "simd/reduce.hpp"

namespace mlwright::tree {

inline double total_weight(std::size_t n, std::span<const double> weight) {
  if (weight.empty()) return static_cast<double>(n);
  return simd::reduce().sum(weight.data(), static_cast<index_t>(weight.size()));
}

inline double weighted_mean(std::span<const double> y, std::span<const double> weight) {
  return exact_sum(y, weight) / total_weight(y.size(), weight);
}

}  // namespace mlwright::tree
