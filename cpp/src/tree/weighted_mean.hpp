// Weighted means whose order of summation is fixed; empty weights are all ones.
#pragma once

#include <span>

#include "mlwright/base/view.hpp"
#include "simd/reduce.hpp"

namespace mlwright::tree {

inline double total_weight(std::span<const double> y, std::span<const double> weight) {
  if (weight.empty()) return static_cast<double>(y.size());
  return simd::reduce().sum(weight.data(), static_cast<index_t>(weight.size()));
}

inline double weighted_mean(std::span<const double> y, std::span<const double> weight) {
  const auto n = static_cast<index_t>(y.size());
  const double sum = weight.empty() ? simd::reduce().sum(y.data(), n) : simd::reduce().dot(y.data(), weight.data(), n);
  return sum / total_weight(y, weight);
}

}  // namespace mlwright::tree
