// The no-U-turn sampler: one transition of Hamiltonian dynamics of a length that the trajectory itself decides.
//
// A trajectory is doubled forwards or backwards until its ends start to approach each other, the doubling would go beyond
// max_depth, or the energy error exceeds kDivergence. The next state is drawn from all of its points with probability
// proportional to exp(-H), later doublings preferred, which leaves the target invariant.
// Momentum has covariance diag(1 / inverse_mass).
// One object a thread: it holds scratch memory for max_depth levels, 7 vectors each. A transition allocates nothing.
// References: Hoffman and Gelman (2014), The No-U-Turn Sampler, JMLR 15; Betancourt (2017), A Conceptual Introduction to
// Hamiltonian Monte Carlo, arXiv:1701.02434, appendix A (multinomial weights, the criterion on summed momenta).
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "mlwright/runtime/rng.hpp"
#include "mlwright/sampler/target.hpp"

namespace mlwright::sampler {

// A point of the target; spans of memory that the caller owns.
struct State {
  std::span<double> u, gradient;
  double* log_density;
};

struct Info {  // of one transition
  double acceptance = 0;  // mean Metropolis acceptance over the trajectory: what step sizes are tuned by
  double energy = 0;      // of the state that was taken
  int depth = 0;
  int steps = 0;          // leapfrog steps: gradients
  bool diverging = false;
};

class Nuts {
 public:
  static constexpr double kDivergence = 1000;

  // `between_steps` is called every few leapfrog steps and may throw, to end a transition from outside.
  Nuts(const Target& target, int max_depth, std::function<void()> between_steps);

  Info transition(runtime::Rng& rng, State state, std::span<const double> inverse_mass, double step);

  // A step size that roughly halves or doubles away from an acceptance of 80 % in one leapfrog step.
  double reasonable_step(runtime::Rng& rng, State state, std::span<const double> inverse_mass, double step);

 private:
  using Vector = std::vector<double>;
  struct Point {  // of phase space
    Vector u, p, gradient;
    double log_density = 0;
  };
  struct Ends {  // momenta and velocities at the two ends of a subtree, in the order in which it was built
    Vector p_begin, v_begin, p_end, v_end;
  };
  struct Level {  // scratch of one level of the recursion
    Point proposal;
    Vector sum_left, sum_right, p_left_end, v_left_end, p_right_begin, v_right_begin;
  };
  struct Subtree;  // what building one adds up

  Vector zeros() const { return Vector(static_cast<std::size_t>(target_.free_size())); }
  void draw_momentum(runtime::Rng& rng, Vector& p) const;
  void velocity(const Vector& p, Vector& v) const;
  double kinetic(const Vector& p) const;
  double energy(const Point& z) const;
  void leapfrog(Point& z, double step);
  bool keeps_apart(const Vector& v_begin, const Vector& v_end, const Vector& sum) const;
  bool keeps_apart(const Vector& v_begin, const Vector& v_end, const Vector& sum, const Vector& more);
  bool leaf(Point& z, Subtree& tree);
  bool build(int depth, Point& z, Subtree& tree);
  static void load(Point& z, const State& state);
  void start(runtime::Rng& rng, const State& state);
  bool grow();

  const Target& target_;
  std::function<void()> between_steps_;
  std::span<const double> inverse_mass_;
  double step_ = 0, start_energy_ = 0, log_weight_ = 0;
  runtime::Rng* rng_ = nullptr;
  Info info_;
  Point forward_, backward_, proposal_, sample_;
  Ends forward_ends_, backward_ends_;
  Vector sum_, sum_old_, sum_new_, joined_, p_joint_, v_joint_, x_, scratch_;
  std::vector<Level> levels_;
};

}  // namespace mlwright::sampler
