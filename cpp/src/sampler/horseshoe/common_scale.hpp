// A step of tau, the small coefficients and the local scales of the large ones along one common factor.
//
// With tau -> c tau, coefficients of the small go with it (b -> c b), the large stay where they are (lambda -> lambda / c), so
// that neither the prior of b given its scales nor the fit of the large ones holds c back. Which are small is drawn anew for each
// step, j with probability 1 / (1 + tau^2 lambda_j^2 a_j), and belongs to what the step leaves invariant. Per ln c the density is
//   HC(c tau) c  prod_large HC(lambda / c) / c  prod_small 1 / (1 + c^2 w)  N(y - X_large b_large; c X_small b_small, s2)
// (Jacobian of coefficients and prior normalisers cancel), drawn by a slice (Neal 2003, Slice sampling, Annals of Statistics 31).
#pragma once

#include <cmath>
#include <vector>

#include "mlwright/base/elementary.hpp"
#include "mlwright/runtime/rng.hpp"

namespace mlwright::sampler::horseshoe {

struct CommonScale {
  double tau2, global2;           // squares of tau and of its prior's scale
  std::vector<double> large, small;  // lambda^2 of the large, w = tau^2 lambda^2 a of the small
  double square = 0, product = 0;    // f'f / s2 with the slab's, and f'(y - X_large b_large) / s2, f = X_small b_small

  // Up to a constant, of l = ln c.
  double log_density(double l) const {
    const double c = exp(l), c2 = c * c;
    return l * (1 - static_cast<double>(large.size())) - log(global2 + tau2 * c2) - log_product(large, 1 / c2) - log_product(small, c2) -
           0.5 * square * c2 + product * c;
  }

  // From l = 0: the next l.
  double draw(runtime::Rng& rng) const {
    const double level = log_density(0) - rng.exponential();
    double low = -kWidth * rng.uniform(), high = low + kWidth;
    while (low > -kFarthest && log_density(low) > level) low -= kWidth;
    while (high < kFarthest && log_density(high) > level) high += kWidth;
    for (int i = 0; i < kMostShrinks; ++i) {
      const double l = low + rng.uniform() * (high - low);
      if (log_density(l) > level) return l;
      (l < 0 ? low : high) = l;
    }
    return 0;
  }

 private:
  static constexpr double kWidth = 0.5, kFarthest = 40, kLargest = 1e150;
  static constexpr int kMostShrinks = 200;

  // sum of ln(1 + factor x): logarithms are dear, products are not; several at once, as each waits for its last.
  static double log_product(const std::vector<double>& x, double factor) {
    constexpr std::size_t kAtOnce = 4;
    double product[kAtOnce] = {1, 1, 1, 1}, sum = 0;
    std::size_t i = 0;
    for (; i + kAtOnce <= x.size(); i += kAtOnce)
      for (std::size_t k = 0; k < kAtOnce; ++k) {
        product[k] *= 1 + factor * x[i + k];
        if (product[k] > kLargest) sum += log(product[k]), product[k] = 1;
      }
    for (; i < x.size(); ++i) {
      product[0] *= 1 + factor * x[i];
      if (product[0] > kLargest) sum += log(product[0]), product[0] = 1;
    }
    for (const double one : product) sum += log(one);
    return sum;
  }
};

}  // namespace mlwright::sampler::horseshoe
