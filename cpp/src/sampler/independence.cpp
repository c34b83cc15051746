#include "mlwright/sampler/independence.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mlwright/base/elementary.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/polling.hpp"
#include "sampler/moments.hpp"
#include "sampler/purposes.hpp"

namespace mlwright::sampler {
namespace {

constexpr index_t kCandidates = 16;  // of one generator

double half_square(const std::vector<double>& z) noexcept {
  return 0.5 * dot(z.data(), z.data(), static_cast<index_t>(z.size()));
}

}  // namespace

Independence::Independence(const Target& target, const Normal& law, std::function<void()> between_steps)
    : target_(target),
      law_(law),
      between_steps_(std::move(between_steps)),
      z_(static_cast<std::size_t>(target.free_size())),
      u_(z_.size()),
      gradient_(z_.size()),
      x_(static_cast<std::size_t>(target.size())),
      scratch_(x_.size()) {}

bool Independence::init(State state) {
  *state.log_density = target_(state.u.data(), state.gradient.data(), x_.data(), scratch_.data());
  return std::isfinite(*state.log_density);
}

// The log ratio of the candidate that it leaves in u_.
double Independence::propose(runtime::Rng& rng) {
  between_steps_();
  law_.draw(rng, z_, u_);
  log_density_ = target_(u_.data(), gradient_.data(), x_.data(), scratch_.data());
  return log_density_ + half_square(z_);
}

double Independence::log_ratio(runtime::Rng& rng) { return propose(rng); }

Info Independence::step(runtime::Rng& rng, State state, const Dynamics&) {
  const double candidate = propose(rng);
  law_.standardise(state.u, z_);
  const double gain = candidate - (*state.log_density + half_square(z_));
  Info info;
  info.steps = 1;
  info.acceptance = gain > 0 ? 1 : exp(gain);
  if (rng.uniform() >= info.acceptance) return info;
  std::ranges::copy(u_, state.u.begin());
  std::ranges::copy(gradient_, state.gradient.begin());
  *state.log_density = log_density_;
  return info;
}

void log_ratios(const Target& target, const Normal& law, std::uint64_t seed, std::span<double> out, runtime::CancelToken& token) {
  const auto n = static_cast<index_t>(out.size());
  const auto check = runtime::poller(token);
  runtime::parallel_for(n, kCandidates, token, [&](index_t chunk, index_t begin, index_t end) {
    Independence kernel(target, law, check);
    runtime::Rng rng(seed, runtime::stream_id(kRatios), static_cast<std::uint64_t>(chunk));
    for (index_t i = begin; i < end; ++i) out[static_cast<std::size_t>(i)] = kernel.log_ratio(rng);
  });
}

}  // namespace mlwright::sampler
