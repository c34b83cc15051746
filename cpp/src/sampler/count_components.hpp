// The components of mixtures of laws of counts, in groups of like dispersions: the same for all rows.
#pragma once

#include <span>
#include <vector>

#include "mlwright/base/view.hpp"

namespace mlwright::sampler {

// Components whose dispersions are near enough to be interpolated between a few of them, which columns of weights stand for.
struct CountGroup {
  index_t begin, size, padded;  // places in `order`; `padded` is the next multiple of 8
  double phi;                   // of the place of a mean
  std::vector<double> phis;     // interpolated between: one a column
  std::vector<double> weights;  // phis.size() x padded, 0 beyond size
  std::vector<double> totals;   // of each column
  int columns() const noexcept { return static_cast<int>(phis.size()); }
};

struct CountComponents {
  CountComponents(index_t size, std::span<const double> dispersions);  // none: Poisson laws

  std::vector<double> dispersions;  // empty, or of the components
  std::vector<index_t> order;       // by dispersion
  std::vector<CountGroup> groups;
  index_t longest;  // padded size of a group
};

// The point i of n of Chebyshev's first kind. By libm: what comes of it are counts, which its last bit does not change.
double chebyshev_point(int i, int n) noexcept;

}  // namespace mlwright::sampler
