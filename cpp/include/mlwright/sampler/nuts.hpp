// The no-U-turn sampler: one step of Hamiltonian dynamics of a length that the trajectory itself decides.
//
// A trajectory is doubled forwards or backwards until its ends start to approach each other, the doubling would go beyond
// max_depth, or the energy error exceeds Hamiltonian::kDivergence. The next state is drawn from all of its points with
// probability proportional to exp(-H), later doublings preferred, which leaves the target invariant.
// Scratch memory for max_depth levels, 8 vectors each.
// References: Hoffman and Gelman (2014), The No-U-Turn Sampler, JMLR 15; Betancourt (2017), A Conceptual Introduction to
// Hamiltonian Monte Carlo, arXiv:1701.02434, appendix A (multinomial weights, the criterion on summed momenta).
#pragma once

#include "mlwright/sampler/hamiltonian.hpp"

namespace mlwright::sampler {

class Nuts final : public Kernel {
 public:
  Nuts(const Target& target, int max_depth, std::function<void()> between_steps);

  bool init(State state) override { return dynamics_.init(state); }
  Info step(runtime::Rng& rng, State state, const Dynamics& how) override;

 private:
  struct Ends {  // momenta and velocities at the two ends of a subtree, in the order in which it was built
    Vector p_begin, v_begin, p_end, v_end;
  };
  struct Level {  // scratch of one level of the recursion
    Point proposal;
    Vector sum_left, sum_right, p_left_end, v_left_end, p_right_begin, v_right_begin;
  };
  struct Subtree;  // what building one adds up

  bool keeps_apart(const Vector& v_begin, const Vector& v_end, const Vector& sum) const;
  bool keeps_apart(const Vector& v_begin, const Vector& v_end, const Vector& sum, const Vector& more);
  bool leaf(Point& z, Subtree& tree);
  bool build(int depth, Point& z, Subtree& tree);
  void start(runtime::Rng& rng, const State& state);
  bool grow();

  Hamiltonian dynamics_;
  double step_ = 0, start_energy_ = 0, log_weight_ = 0;
  runtime::Rng* rng_ = nullptr;
  Info info_;
  Point forward_, backward_, proposal_, sample_;
  Ends forward_ends_, backward_ends_;
  Vector sum_, sum_old_, sum_new_, joined_, p_joint_, v_joint_;
  std::vector<Level> levels_;
};

}  // namespace mlwright::sampler
