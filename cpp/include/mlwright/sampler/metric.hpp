// The metric of Hamiltonian dynamics: a diagonal, and a few directions that are stretched further.
//
//   M^-1 = D + W' (Lambda - I) W,   W D^-1 W' = I
//
// D holds the squared scales of the parameters; the rows of W are directions, orthonormal once divided by the scales, in which
// the target is wider or narrower than those say, by the factors Lambda. Momenta have covariance M.
// Cost: O(d (1 + directions)) each. Views of memory that a chain's state owns.
#pragma once

#include <span>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/rng.hpp"

namespace mlwright::sampler {

struct Metric {
  std::span<const double> inverse_mass;  // D
  std::span<const double> stretch;       // Lambda
  std::span<const double> directions;    // W, a row each

  void draw_momentum(runtime::Rng& rng, std::span<double> p) const;
  void velocity(std::span<const double> p, std::span<double> v) const;  // M^-1 p

 private:
  const double* direction(std::size_t k) const noexcept { return directions.data() + k * inverse_mass.size(); }
};

}  // namespace mlwright::sampler
