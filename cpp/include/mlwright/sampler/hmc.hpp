// Hamiltonian Monte Carlo: trajectories whose number of leapfrog steps is drawn evenly from 1 .. 2 n_steps - 1, so that none
// returns to where it began, accepted by Metropolis.
// Reference: Neal (2011), MCMC using Hamiltonian dynamics, Handbook of Markov Chain Monte Carlo, chapter 5.
#pragma once

#include "mlwright/sampler/hamiltonian.hpp"

namespace mlwright::sampler {

class Hmc final : public Kernel {
 public:
  Hmc(const Target& target, int n_steps, std::function<void()> between_steps);

  bool init(State state) override { return dynamics_.init(state); }
  Info step(runtime::Rng& rng, State state, const Dynamics& how) override;

 private:
  Hamiltonian dynamics_;
  int n_steps_;
  Point z_;
};

}  // namespace mlwright::sampler
