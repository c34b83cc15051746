#include "mlwright/sampler/hmc.hpp"

#include <cmath>
#include <utility>

#include "mlwright/base/elementary.hpp"

namespace mlwright::sampler {

Hmc::Hmc(const Target& target, int n_steps, std::function<void()> between_steps)
    : dynamics_(target, std::move(between_steps)), n_steps_(n_steps), z_(dynamics_.point()) {}

Info Hmc::step(runtime::Rng& rng, State state, const Dynamics& how) {
  dynamics_.use(how.metric);
  dynamics_.load(z_, state);
  dynamics_.draw_momentum(rng, z_);
  Info info;
  const double before = dynamics_.energy(z_);
  info.energy = before;
  const int steps = 1 + static_cast<int>(rng.below(static_cast<std::uint64_t>(2 * n_steps_ - 1)));
  const double u = rng.uniform();
  double error = 0;
  while (info.steps < steps) {
    dynamics_.leapfrog(z_, how.step);
    ++info.steps;
    error = dynamics_.energy(z_) - before;
    if (!(error <= Hamiltonian::kDivergence)) {  // refused wherever it would lead to
      info.diverging = true;
      return info;
    }
  }
  info.acceptance = error > 0 ? exp(-error) : 1;
  if (u >= info.acceptance) return info;
  info.energy = before + error;
  dynamics_.store(z_, state);
  return info;
}

}  // namespace mlwright::sampler
