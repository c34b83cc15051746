// Elliptical slice sampling: a likelihood under a normal prior, without gradients or anything to be tuned.
//
// The target is the log likelihood alone; the prior is the kernel's. A step draws a point of the prior, which with the state
// spans an ellipse, and shrinks towards the state the arc from which the next state is drawn until the likelihood there
// exceeds a level drawn beforehand.
// Reference: Murray, Adams, MacKay (2010), Elliptical slice sampling, AISTATS 9.
#pragma once

#include <vector>

#include "mlwright/sampler/kernel.hpp"

namespace mlwright::sampler {

class Elliptical final : public Kernel {
 public:
  // The prior's numbers must outlive the kernel.
  Elliptical(const Target& likelihood, const Normal& prior, std::function<void()> between_steps);

  bool init(State state) override;  // the gradient is left zero
  Info step(runtime::Rng& rng, State state, const Dynamics& dynamics) override;

 private:
  double evaluate(const std::vector<double>& u);

  const Target& likelihood_;
  Normal prior_;
  std::function<void()> between_steps_;
  std::vector<double> z_, other_, u_, gradient_, x_, scratch_;
};

}  // namespace mlwright::sampler
