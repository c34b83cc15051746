// Independence Metropolis: every candidate is drawn from one normal law, whatever the chain's state is.
//
// Candidates are accepted with probability min(1, r(candidate) / r(state)), r = density / density of the law. Where the law is
// near to the target the draws are nearly independent; where the target's tails are heavier, chains stick. log_ratios() is
// what k-hat is found from, which tells beforehand.
// Reference: Tierney (1994), Markov chains for exploring posterior distributions, Annals of Statistics 22, section 2.3.3.
#pragma once

#include <vector>

#include "mlwright/runtime/cancel.hpp"
#include "mlwright/sampler/kernel.hpp"

namespace mlwright::sampler {

class Independence final : public Kernel {
 public:
  // The law's numbers must outlive the kernel.
  Independence(const Target& target, const Normal& law, std::function<void()> between_steps);

  bool init(State state) override;
  Info step(runtime::Rng& rng, State state, const Dynamics& dynamics) override;
  // Of a candidate of its own: log density less that of the law, but for a constant. Minus infinity where it is undefined.
  double log_ratio(runtime::Rng& rng);

 private:
  double propose(runtime::Rng& rng);

  const Target& target_;
  Normal law_;
  std::function<void()> between_steps_;
  double log_density_ = 0;  // of the candidate
  std::vector<double> z_, u_, gradient_, x_, scratch_;
};

// Of n candidates, each from a generator of its own.
void log_ratios(const Target& target, const Normal& law, std::uint64_t seed, std::span<double> out, runtime::CancelToken& token);

}  // namespace mlwright::sampler
