// What is known of a leaf: sums of weights and of weighted residuals, in integers, and the law of its mean in doubles.
#pragma once

#include <cmath>  // sqrt, rint: exactly rounded everywhere
#include <string>

#include "mlwright/base/elementary.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/base/view.hpp"
#include "mlwright/runtime/rng.hpp"

namespace mlwright::sampler::bart {

inline constexpr std::int64_t kLargestResidual = std::int64_t{1} << 29;  // in units

struct LeafSums {
  std::int64_t weight = 0, sum = 0;
  LeafSums operator+(const LeafSums& o) const noexcept { return {weight + o.weight, sum + o.sum}; }
  LeafSums operator-(const LeafSums& o) const noexcept { return {weight - o.weight, sum - o.sum}; }
};

// The mean of a leaf ~ N(0, tau2), its residuals about it ~ N(0, sigma2 / weight).
struct LeafModel {
  double unit, weight_unit, tau2, sigma2;

  double weight(const LeafSums& leaf) const noexcept { return static_cast<double>(leaf.weight) * weight_unit; }
  double sum(const LeafSums& leaf) const noexcept { return static_cast<double>(leaf.sum) * weight_unit * unit; }

  // Of the residuals, the mean integrated out; less what does not depend on the tree.
  double log_marginal(const LeafSums& leaf) const noexcept { return log_marginal(leaf, shrink(leaf), log(shrink(leaf))); }

  // The same by parts, for many leaves at once.
  double shrink(const LeafSums& leaf) const noexcept { return 1 + weight(leaf) * tau2 / sigma2; }
  double log_marginal(const LeafSums& leaf, double shrunk, double log_shrunk) const noexcept {
    const double total = sum(leaf);
    return -0.5 * log_shrunk + 0.5 * (tau2 / sigma2) * (total * total / sigma2) / shrunk;
  }

  // A mean from its posterior, in units.
  std::int32_t draw(const LeafSums& leaf, runtime::Rng& rng) const {
    const double variance = 1 / (weight(leaf) / sigma2 + 1 / tau2);
    const double drawn = variance * (sum(leaf) / sigma2) + std::sqrt(variance) * rng.normal(), units = std::rint(drawn / unit);
    if (!(std::fabs(units) < static_cast<double>(kLargestResidual)))
      throw NumericalError("BART: a leaf's mean is " + std::to_string(drawn) + "; expected a number within " +
                           std::to_string(static_cast<double>(kLargestResidual) * unit));
    return static_cast<std::int32_t>(units);
  }
};

}  // namespace mlwright::sampler::bart
