#include <algorithm>

#include "mlwright/sampler/kernel.hpp"
#include "sampler/moments.hpp"

namespace mlwright::sampler {

void Normal::draw(runtime::Rng& rng, std::span<double> z, std::span<double> u) const {
  for (double& one : z) one = rng.normal();
  for (std::size_t i = 0; i < z.size(); ++i)
    u[i] = mean[i] + (is_diagonal() ? root[i] * z[i] : dot(row(i), z.data(), static_cast<index_t>(i) + 1));
}

void Normal::standardise(std::span<const double> u, std::span<double> z) const {
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double distance = u[i] - mean[i];
    z[i] = is_diagonal() ? distance / root[i] : (distance - dot(row(i), z.data(), static_cast<index_t>(i))) / row(i)[i];
  }
}

double Normal::variance(std::size_t i) const noexcept {
  return is_diagonal() ? root[i] * root[i] : dot(row(i), row(i), static_cast<index_t>(i) + 1);
}

}  // namespace mlwright::sampler
