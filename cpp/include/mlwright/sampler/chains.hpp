// Several chains side by side, from their starts through warm-up to draws, by any kernel of kernel.hpp.
//
// A chain's whole state is one row of numbers, state_size() of them, that the caller owns and may keep: sampling goes on
// from it to the bit. Random numbers are keyed by (seed, purpose and iteration, chain), so nothing else needs to be kept,
// and draws do not depend on threads. Chains run on threads of their own; between slices of a few milliseconds the calling
// thread polls for Ctrl-C and tells the progress.
#pragma once

#include <span>

#include "mlwright/runtime/cancel.hpp"
#include "mlwright/runtime/progress.hpp"
#include "mlwright/sampler/kernel.hpp"

namespace mlwright::sampler {

enum class Method : std::uint8_t { nuts, hmc, independence, elliptical };

struct Settings {
  std::uint64_t seed = 0;
  index_t warm_up = 1000;
  double target_acceptance = 0.8;
  int max_depth = 10;            // of nuts
  Method method = Method::nuts;
  int n_steps = 16;              // of hmc
  bool finds_directions = false;  // whether dynamics learn directions beside scales
  // What independence proposes from; the prior of elliptical, whose target is the likelihood. Starts are drawn from it where
  // it is given, and dynamics begin with its variances.
  Normal normal = {};

  bool has_dynamics() const noexcept { return method == Method::nuts || method == Method::hmc; }
  bool remembers() const noexcept { return finds_directions && has_dynamics(); }
};

// What is told of every draw, in this order.
inline constexpr const char* kStatistics[] = {"log_density", "acceptance", "energy", "step_size", "depth", "n_steps", "diverging"};
inline constexpr index_t kStatisticsCount = 7;

index_t state_size(index_t free_size, const Settings& settings) noexcept;

// Fills `states` (one row a chain). `starts` holds the free numbers of each chain to start from, or is empty: then they are
// drawn from settings.normal, or uniformly from [-2, 2], or nearer to the middle where the density is not finite there.
// Throws NumericalError where no start is finite.
void initialise(const Target& target, const Settings& settings, std::span<const double> starts, std::span<double> states,
                runtime::CancelToken& token);

// Advances every chain by `n` iterations, the warm-up counted first. draws (chains x kept x size()) and statistics
// (chains x kept x kStatisticsCount) receive those after the warm-up: kept is what the iterations give beyond it.
void sample(const Target& target, const Settings& settings, index_t n, std::span<double> states, double* draws,
            double* statistics, runtime::CancelToken& token, runtime::Progress& progress);

}  // namespace mlwright::sampler
