#include "mlwright/sampler/hamiltonian.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mlwright/base/elementary.hpp"
#include "sampler/moments.hpp"

namespace mlwright::sampler {
namespace {

constexpr unsigned kStepsBetweenPolls = 8;
constexpr double kAcceptance = 0.8;  // of reasonable_step
constexpr int kMostDoublings = 60;

}  // namespace

Hamiltonian::Hamiltonian(const Target& target, std::function<void()> between_steps)
    : target_(target),
      between_steps_(std::move(between_steps)),
      v_(zeros()),
      x_(static_cast<std::size_t>(target.size())),
      scratch_(x_.size()) {}

bool Hamiltonian::init(State state) {
  *state.log_density = target_(state.u.data(), state.gradient.data(), x_.data(), scratch_.data());
  return std::isfinite(*state.log_density);
}

void Hamiltonian::load(Point& z, const State& state) const {
  std::ranges::copy(state.u, z.u.begin());
  std::ranges::copy(state.gradient, z.gradient.begin());
  z.log_density = *state.log_density;
}

void Hamiltonian::store(const Point& z, const State& state) const {
  std::ranges::copy(z.u, state.u.begin());
  std::ranges::copy(z.gradient, state.gradient.begin());
  *state.log_density = z.log_density;
}

double Hamiltonian::energy(const Point& z) {
  velocity(z.p, v_);
  const double h = 0.5 * dot(v_.data(), z.p.data(), static_cast<index_t>(v_.size())) - z.log_density;
  return std::isnan(h) ? HUGE_VAL : h;
}

void Hamiltonian::leapfrog(Point& z, double step) {
  if (steps_++ % kStepsBetweenPolls == 0) between_steps_();
  for (std::size_t i = 0; i < z.u.size(); ++i) z.p[i] += 0.5 * step * z.gradient[i];
  velocity(z.p, v_);
  for (std::size_t i = 0; i < z.u.size(); ++i) z.u[i] += step * v_[i];
  z.log_density = target_(z.u.data(), z.gradient.data(), x_.data(), scratch_.data());
  if (z.log_density == -HUGE_VAL) return;  // the gradient means nothing; the trajectory ends here
  for (std::size_t i = 0; i < z.u.size(); ++i) z.p[i] += 0.5 * step * z.gradient[i];
}

double Hamiltonian::reasonable_step(runtime::Rng& rng, const State& state, const Metric& metric, double step) {
  use(metric);
  Point z = point();
  const auto acceptance_is_high = [&](double size) {
    load(z, state);
    draw_momentum(rng, z);
    const double before = energy(z);
    leapfrog(z, size);
    return before - energy(z) > log(kAcceptance);
  };
  const bool larger = acceptance_is_high(step);
  for (int i = 0; i < kMostDoublings && acceptance_is_high(step) == larger; ++i) step *= larger ? 2 : 0.5;
  return step;
}

}  // namespace mlwright::sampler
