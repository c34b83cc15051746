// The shape of every Markov kernel here: State and Info, init and step.
//
// A kernel is made for a target and holds scratch memory; what a chain is lives in its State alone, so that a chain goes on
// from it to the bit. One object a thread. A step allocates nothing.
#pragma once

#include <functional>
#include <span>

#include "mlwright/runtime/rng.hpp"
#include "mlwright/sampler/metric.hpp"
#include "mlwright/sampler/target.hpp"

namespace mlwright::sampler {

// A point of the target; spans of memory that the caller owns.
struct State {
  std::span<double> u, gradient;
  double* log_density;
};

struct Info {  // of one step; told, not carried on
  double acceptance = 0;  // mean Metropolis acceptance: what step sizes are tuned by
  double energy = 0;      // of the state that was taken, where there is a momentum
  int depth = 0;
  int steps = 0;          // evaluations of the density
  bool diverging = false;
};

// How far dynamics go. Kernels without dynamics do not read it.
struct Dynamics {
  Metric metric;
  double step = 0;
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  // Density and gradient at state.u; false where they are not finite.
  virtual bool init(State state) = 0;
  virtual Info step(runtime::Rng& rng, State state, const Dynamics& dynamics) = 0;
};

// A normal law: to propose from, to start from, or the prior of elliptical slices. `root` is a lower triangle, row-major, or
// the d deviations alone.
struct Normal {
  std::span<const double> mean, root;

  bool empty() const noexcept { return mean.empty(); }
  void draw(runtime::Rng& rng, std::span<double> z, std::span<double> u) const;  // z: the standard normal numbers of u
  void standardise(std::span<const double> u, std::span<double> z) const;
  double variance(std::size_t i) const noexcept;

 private:
  bool is_diagonal() const noexcept { return root.size() == mean.size(); }
  const double* row(std::size_t i) const noexcept { return root.data() + i * mean.size(); }
};

}  // namespace mlwright::sampler
