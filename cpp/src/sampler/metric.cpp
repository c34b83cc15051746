#include "mlwright/sampler/metric.hpp"

#include <cmath>

#include "sampler/moments.hpp"

namespace mlwright::sampler {

// M^(1/2) z: the diagonal's share first, then that of each direction.
void Metric::draw_momentum(runtime::Rng& rng, std::span<double> p) const {
  const auto d = static_cast<index_t>(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) p[i] = rng.normal() / std::sqrt(inverse_mass[i]);
  for (std::size_t k = 0; k < stretch.size(); ++k) {
    const double* const w = direction(k);
    const double along = (1 / std::sqrt(stretch[k]) - 1) * dot(w, p.data(), d);  // the others are orthogonal: not changed by them
    for (std::size_t i = 0; i < p.size(); ++i) p[i] += along * (w[i] / inverse_mass[i]);
  }
}

void Metric::velocity(std::span<const double> p, std::span<double> v) const {
  const auto d = static_cast<index_t>(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) v[i] = inverse_mass[i] * p[i];
  for (std::size_t k = 0; k < stretch.size(); ++k) {
    const double* const w = direction(k);
    const double along = (stretch[k] - 1) * dot(w, p.data(), d);
    for (std::size_t i = 0; i < p.size(); ++i) v[i] += along * w[i];
  }
}

}  // namespace mlwright::sampler
