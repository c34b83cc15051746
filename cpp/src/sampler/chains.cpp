#include "mlwright/sampler/chains.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/polling.hpp"
#include "mlwright/runtime/rng.hpp"
#include "mlwright/sampler/elliptical.hpp"
#include "mlwright/sampler/hmc.hpp"
#include "mlwright/sampler/independence.hpp"
#include "mlwright/sampler/nuts.hpp"
#include "sampler/chain_row.hpp"
#include "sampler/point_text.hpp"
#include "sampler/purposes.hpp"
#include "sampler/warm_up.hpp"

namespace mlwright::sampler {
namespace {

constexpr int kMostStarts = 100;
constexpr double kStartRadius = 2;
constexpr double kFirstStep = 0.1;
constexpr std::chrono::milliseconds kSlice{20};

std::unique_ptr<Kernel> kernel_of(const Target& target, const Settings& settings, std::function<void()> check) {
  switch (settings.method) {
    case Method::nuts: return std::make_unique<Nuts>(target, settings.max_depth, std::move(check));
    case Method::hmc: return std::make_unique<Hmc>(target, settings.n_steps, std::move(check));
    case Method::independence: return std::make_unique<Independence>(target, settings.normal, std::move(check));
    case Method::elliptical: return std::make_unique<Elliptical>(target, settings.normal, std::move(check));
  }
  throw InvalidArgument("method: expected one of those that there are");
}

// A chain with what moves it; made and advanced by one thread at a time.
class Runner {
 public:
  Runner(const Target& target, const Settings& settings, ChainRow row, std::uint64_t number, const std::function<void()>& check)
      : target_(target),
        settings_(settings),
        row_(row),
        warm_up_(settings, row),
        number_(number),
        check_(check),
        kernel_(kernel_of(target, settings, check)),
        before_(static_cast<std::size_t>(target.free_size())) {}

  void start(const double* given) {
    for (int attempt = 0; attempt < (given == nullptr ? kMostStarts : 1); ++attempt) {
      runtime::Rng rng(settings_.seed, runtime::stream_id(kStart, static_cast<std::uint32_t>(attempt)), number_);
      if (given != nullptr) std::copy_n(given, before_.size(), row_.u().begin());
      else draw_start(attempt, rng);
      if (kernel_->init(row_.state())) return begin();
    }
    refuse_start(given != nullptr);
  }

  index_t iteration() noexcept { return static_cast<index_t>(row_[ChainRow::iteration]); }

  // One iteration; writes the draw and its statistics where it is kept.
  void advance(double* draw, double* statistics) {
    const index_t at = iteration();
    runtime::Rng rng(settings_.seed, runtime::stream_id(kTransition, static_cast<std::uint32_t>(at)), number_);
    std::ranges::copy(row_.u(), before_.begin());
    const double step = row_[ChainRow::step];
    const Info info = kernel_->step(rng, row_.state(), {row_.metric(), step});
    if (at >= settings_.warm_up) {
      density::constrain(target_.blocks(), row_.u().data(), draw);
      const double told[] = {row_[ChainRow::log_density], info.acceptance, info.energy, step, static_cast<double>(info.depth),
                             static_cast<double>(info.steps), info.diverging ? 1.0 : 0.0};
      std::ranges::copy(told, statistics);
    } else if (settings_.has_dynamics()) {
      warm_up_.learn(at, info, before_);
    }
    row_[ChainRow::iteration] = static_cast<double>(at + 1);
  }

 private:
  void draw_start(int attempt, runtime::Rng& rng) {
    const double nearer = 1.0 / (1 << (attempt / 10));
    if (settings_.normal.empty()) {
      for (double& u : row_.u()) u = kStartRadius * nearer * (2 * rng.uniform() - 1);
      return;
    }
    settings_.normal.draw(rng, before_, row_.u());
    for (std::size_t i = 0; i < before_.size(); ++i)
      row_.u()[i] = settings_.normal.mean[i] + nearer * (row_.u()[i] - settings_.normal.mean[i]);
  }

  void begin() {
    row_[ChainRow::iteration] = 0;
    warm_up_.begin();
    if (!settings_.has_dynamics()) return;
    runtime::Rng rng(settings_.seed, runtime::stream_id(kStepSize), number_);
    Hamiltonian dynamics(target_, check_);
    warm_up_.set_step(dynamics.reasonable_step(rng, row_.state(), row_.metric(), kFirstStep));
  }

  [[noreturn]] void refuse_start(bool given) {
    std::vector<double> x(static_cast<std::size_t>(target_.size()));
    density::constrain(target_.blocks(), row_.u().data(), x.data());
    const std::string tried =
        given ? "at the given one the log density or its gradient is not finite, at parameters "
              : "at none of " + std::to_string(kMostStarts) + " tried are the log density and its gradient finite, last at parameters ";
    throw NumericalError("density: chain " + std::to_string(number_) + " has no start: " + tried + point_text(x.data(), target_.size()) +
                         "; expected finite numbers; pass init= with a point of the support");
  }

  const Target& target_;
  const Settings& settings_;
  ChainRow row_;
  WarmUp warm_up_;
  std::uint64_t number_;
  std::function<void()> check_;
  std::unique_ptr<Kernel> kernel_;
  std::vector<double> before_;
};

std::vector<std::unique_ptr<Runner>> runners(const Target& target, const Settings& settings, std::span<double> states,
                                             runtime::CancelToken& token) {
  const index_t d = target.free_size(), size = state_size(d, settings);
  const auto check = runtime::poller(token);
  std::vector<std::unique_ptr<Runner>> all;
  for (index_t c = 0; c * size < static_cast<index_t>(states.size()); ++c)
    all.push_back(std::make_unique<Runner>(target, settings, ChainRow(states.data() + c * size, d, settings.remembers()),
                                           static_cast<std::uint64_t>(c), check));
  return all;
}

}  // namespace

index_t state_size(index_t free_size, const Settings& settings) noexcept { return ChainRow::size(free_size, settings.remembers()); }

void initialise(const Target& target, const Settings& settings, std::span<const double> starts, std::span<double> states,
                runtime::CancelToken& token) {
  const auto chains = runners(target, settings, states, token);
  runtime::parallel_for(static_cast<index_t>(chains.size()), 1, token, [&](index_t c, index_t, index_t) {
    chains[static_cast<std::size_t>(c)]->start(starts.empty() ? nullptr : starts.data() + c * target.free_size());
  });
}

void sample(const Target& target, const Settings& settings, index_t n, std::span<double> states, double* draws,
            double* statistics, runtime::CancelToken& token, runtime::Progress& progress) {
  const auto chains = runners(target, settings, states, token);
  if (chains.empty()) return;
  const index_t begin = chains[0]->iteration(), end = begin + n, first_kept = std::max(begin, settings.warm_up);
  const index_t kept = std::max<index_t>(end - first_kept, 0), n_chains = static_cast<index_t>(chains.size());
  const auto row_of = [&](index_t c, index_t at) { return at < first_kept ? 0 : c * kept + at - first_kept; };
  index_t done = 0;
  while (done < n * n_chains) {
    runtime::parallel_for(n_chains, 1, token, [&](index_t c, index_t, index_t) {
      Runner& chain = *chains[static_cast<std::size_t>(c)];
      const auto stop = std::chrono::steady_clock::now() + kSlice;
      while (chain.iteration() < end && std::chrono::steady_clock::now() < stop) {
        const index_t row = row_of(c, chain.iteration());
        chain.advance(draws + row * target.size(), statistics + row * kStatisticsCount);
      }
    });
    done = 0;
    for (const auto& chain : chains) done += chain->iteration() - begin;
    progress.report({.stage = "sampling", .done = done, .total = n * n_chains});
    token.poll();
  }
}

}  // namespace mlwright::sampler
