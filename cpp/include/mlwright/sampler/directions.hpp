// Directions in which a target is wider or narrower than its scales say, from draws and gradients.
//
// Once divided by the scales, draws with covariance A and gradients with covariance B have the smallest Fisher divergence from a
// standard normal under M^-1 = A # B^-1, the geometric mean; for a normal target that is its covariance, to rounding, once
// there are more draws than parameters. Of its eigenvectors those are taken whose eigenvalue is beyond [1/2, 2]. With many
// parameters it is found in the space of the directions in which draws, and gradients, vary most.
// Reference: Seyboldt, Carlson, Carpenter (2026), arXiv:2603.18845, section 4.
#pragma once

#include <span>

#include "mlwright/base/view.hpp"

namespace mlwright::sampler {

inline constexpr index_t kMostDirections = 32;
inline constexpr index_t kRemembered = 128;  // draws, the latest

// The latest draws and gradients; views of memory that the caller owns, kRemembered rows each.
class Memory {
 public:
  Memory(double* count, std::span<double> u, std::span<double> gradient) noexcept : count_(count), u_(u), gradient_(gradient) {}
  void add(std::span<const double> u, std::span<const double> gradient) noexcept;
  index_t count() const noexcept { return static_cast<index_t>(*count_); }
  std::span<const double> u() const noexcept { return u_; }
  std::span<const double> gradient() const noexcept { return gradient_; }

 private:
  double* count_;  // of all that were ever added
  std::span<double> u_, gradient_;
};

// From the latest n draws (at most kRemembered). Fills stretch and directions as metric.hpp has them; their number.
index_t find_directions(const Memory& memory, index_t n, std::span<const double> inverse_mass, std::span<double> stretch,
                        std::span<double> directions);

}  // namespace mlwright::sampler
