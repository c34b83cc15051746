// Hamiltonian dynamics of a target: kinetic energies, leapfrog steps, and a step size to begin with.
//
//   H(u, p) = -log density(u) + p' M^-1 p / 2
//
// Leapfrog is reversible, keeps volumes, and its error of H is of the second order in the step.
// References: Neal (2011), MCMC using Hamiltonian dynamics. Hoffman and Gelman (2014), JMLR 15, algorithm 4.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "mlwright/sampler/kernel.hpp"

namespace mlwright::sampler {

using Vector = std::vector<double>;

struct Point {  // of phase space
  Vector u, p, gradient;
  double log_density = 0;
};

class Hamiltonian {
 public:
  static constexpr double kDivergence = 1000;  // of energy: a trajectory that errs by more is given up

  // `between_steps` is called every few leapfrog steps and may throw, to end a transition from outside.
  Hamiltonian(const Target& target, std::function<void()> between_steps);

  bool init(State state);
  void use(const Metric& metric) noexcept { metric_ = metric; }

  Vector zeros() const { return Vector(static_cast<std::size_t>(target_.free_size())); }
  Point point() const { return {zeros(), zeros(), zeros()}; }
  void load(Point& z, const State& state) const;
  void store(const Point& z, const State& state) const;

  void draw_momentum(runtime::Rng& rng, Point& z) const { metric_.draw_momentum(rng, z.p); }
  void velocity(const Vector& p, Vector& v) const { metric_.velocity(p, v); }
  double energy(const Point& z);  // leaves the velocity in v
  const Vector& last_velocity() const noexcept { return v_; }
  void leapfrog(Point& z, double step);

  // A step size that roughly halves or doubles away from an acceptance of 80 % in one leapfrog step.
  double reasonable_step(runtime::Rng& rng, const State& state, const Metric& metric, double step);

 private:
  const Target& target_;
  std::function<void()> between_steps_;
  Metric metric_;
  unsigned steps_ = 0;
  Vector v_, x_, scratch_;
};

}  // namespace mlwright::sampler
