#include "mlwright/tree/exact_sum.hpp"

#include <bit>

namespace mlwright::tree {
namespace {

constexpr double kLargestCount = 1 << 30;

double largest_magnitude(std::span<const double> value) {
  double largest = 0;
  for (const double v : value) largest = std::max(largest, std::abs(v));
  return largest;
}

// The sum of the weights if they are repetitions; 0 if not.
std::uint64_t repetitions(std::span<const double> weight) {
  double total = 0;
  for (const double w : weight) {
    if (w != std::floor(w) || w < 0) return 0;
    total += w;
  }
  return total < kLargestCount ? static_cast<std::uint64_t>(total) : 0;
}

}  // namespace

double exact_sum(std::span<const double> value, std::span<const double> weight) {
  ExactSum sum;
  if (weight.empty()) {
    const ExactScale scale(largest_magnitude(value), std::bit_width(value.size()));
    for (const double v : value) scale.add(sum, v);
    return scale.value(sum);
  }
  if (const std::uint64_t count = repetitions(weight); count > 0) {
    const ExactScale scale(largest_magnitude(value), std::bit_width(count));
    for (std::size_t i = 0; i < value.size(); ++i) scale.add(sum, value[i], static_cast<std::int64_t>(weight[i]));
    return scale.value(sum);
  }
  double largest = 0;
  for (std::size_t i = 0; i < value.size(); ++i) largest = std::max(largest, std::abs(value[i] * weight[i]));
  const ExactScale scale(largest, std::bit_width(value.size()));
  for (std::size_t i = 0; i < value.size(); ++i) scale.add(sum, value[i] * weight[i]);
  return scale.value(sum);
}

}  // namespace mlwright::tree
