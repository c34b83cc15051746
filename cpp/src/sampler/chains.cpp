#include "mlwright/sampler/chains.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "mlwright/base/elementary.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/rng.hpp"
#include "mlwright/sampler/adaptation.hpp"
#include "mlwright/sampler/nuts.hpp"

namespace mlwright::sampler {
namespace {

enum Purpose : std::uint32_t { kTransition, kStart, kStepSize };  // of random numbers

constexpr int kMostStarts = 100;
constexpr double kStartRadius = 2;
constexpr index_t kEarlyWindow = 10, kFirstWindow = 80, kFewestForScales = 3;
constexpr double kWindowGrowth = 1.5, kFirstStep = 0.1;
constexpr std::chrono::milliseconds kSlice{20};

// Names for the numbers of one row of state.
class Chain {
 public:
  enum Head { iteration, step, log_density, window, count_now, count_next, averaging, kHead = averaging + 5 };
  static constexpr index_t kVectors = 3 + 2 * 4;

  Chain(double* row, index_t d) : row_(row), d_(static_cast<std::size_t>(d)) {}

  double& operator[](Head name) noexcept { return row_[name]; }
  std::span<double> u() noexcept { return vectors(0, 1); }
  std::span<double> gradient() noexcept { return vectors(1, 1); }
  std::span<double> inverse_mass() noexcept { return vectors(2, 1); }
  Moments now() noexcept { return {row_ + count_now, vectors(3, 4)}; }
  Moments next() noexcept { return {row_ + count_next, vectors(7, 4)}; }
  State state() noexcept { return {u(), gradient(), row_ + log_density}; }

  DualAveraging step_averaging() const noexcept {
    const double* a = row_ + averaging;
    return {a[0], a[1], a[2], a[3], a[4]};
  }
  void set(const DualAveraging& a) noexcept {
    const double values[] = {a.count, a.error, a.log_step, a.log_step_mean, a.centre};
    std::ranges::copy(values, row_ + averaging);
  }
  // The window that has seen more replaces the one in use; a new one begins.
  void turn_window() noexcept {
    std::ranges::copy(vectors(7, 4), vectors(3, 4).begin());
    row_[count_now] = row_[count_next];
    next().clear();
  }

 private:
  std::span<double> vectors(std::size_t first, std::size_t n) noexcept { return {row_ + kHead + first * d_, n * d_}; }
  double* row_;
  std::size_t d_;
};

// Only the calling thread may poll; the others look at the flag.
std::function<void()> poller(runtime::CancelToken& token) {
  return [&token, caller = std::this_thread::get_id()] {
    if (std::this_thread::get_id() == caller) token.poll();
    if (token.cancelled()) throw Cancelled();
  };
}

// A chain with what moves it; made and advanced by one thread at a time.
class Runner {
 public:
  Runner(const Target& target, const Settings& settings, Chain chain, std::uint64_t number, runtime::CancelToken& token)
      : target_(target),
        settings_(settings),
        schedule_{settings.warm_up},
        chain_(chain),
        number_(number),
        nuts_(target, settings.max_depth, poller(token)),
        x_(static_cast<std::size_t>(target.size())),
        scratch_(x_.size()),
        before_(static_cast<std::size_t>(target.free_size())) {}

  void start(const double* given) {
    const auto d = static_cast<index_t>(before_.size());
    for (int attempt = 0; attempt < (given == nullptr ? kMostStarts : 1); ++attempt) {
      runtime::Rng rng(settings_.seed, runtime::stream_id(kStart, static_cast<std::uint32_t>(attempt)), number_);
      const double radius = kStartRadius / (1 << (attempt / 10));
      for (index_t i = 0; i < d; ++i)
        chain_.u()[static_cast<std::size_t>(i)] = given == nullptr ? radius * (2 * rng.uniform() - 1) : given[i];
      chain_[Chain::log_density] = target_(chain_.u().data(), chain_.gradient().data(), x_.data(), scratch_.data());
      if (std::isfinite(chain_[Chain::log_density])) return begin();
    }
    refuse_start(given != nullptr);
  }

  index_t iteration() noexcept { return static_cast<index_t>(chain_[Chain::iteration]); }

  // One iteration; writes the draw and its statistics where it is kept.
  void advance(double* draw, double* statistics) {
    const index_t at = iteration();
    runtime::Rng rng(settings_.seed, runtime::stream_id(kTransition, static_cast<std::uint32_t>(at)), number_);
    std::ranges::copy(chain_.u(), before_.begin());
    const double step = chain_[Chain::step];
    const Info info = nuts_.transition(rng, chain_.state(), chain_.inverse_mass(), step);
    if (at < settings_.warm_up) {
      adapt(at, info);
    } else {
      density::constrain(target_.blocks(), chain_.u().data(), draw);
      const double told[] = {chain_[Chain::log_density], info.acceptance, info.energy, step, static_cast<double>(info.depth),
                             static_cast<double>(info.steps), info.diverging ? 1.0 : 0.0};
      std::ranges::copy(told, statistics);
    }
    chain_[Chain::iteration] = static_cast<double>(at + 1);
  }

 private:
  // Scales of a first guess: a normal's gradient is its distance from the mode over its variance.
  void begin() {
    chain_[Chain::iteration] = 0;
    for (std::size_t i = 0; i < before_.size(); ++i)
      chain_.inverse_mass()[i] = 1 / std::clamp(std::fabs(chain_.gradient()[i]), 1e-10, 1e10);
    chain_.now().clear();
    chain_.next().clear();
    learn();
    chain_[Chain::window] = kEarlyWindow;
    runtime::Rng rng(settings_.seed, runtime::stream_id(kStepSize), number_);
    set_step(nuts_.reasonable_step(rng, chain_.state(), chain_.inverse_mass(), kFirstStep));
  }

  void set_step(double step) {
    DualAveraging averaging;
    averaging.restart(step);
    chain_.set(averaging);
    chain_[Chain::step] = step;
  }

  void learn() {
    chain_.now().add(chain_.u(), chain_.gradient());
    chain_.next().add(chain_.u(), chain_.gradient());
  }

  void adapt(index_t at, const Info& info) {
    DualAveraging averaging = chain_.step_averaging();
    averaging.update(info.acceptance, settings_.target_acceptance);
    chain_.set(averaging);
    const bool last = at + 1 == settings_.warm_up;
    chain_[Chain::step] = exp(last ? averaging.log_step_mean : averaging.log_step);
    if (!schedule_.learns_scales(at)) return;
    if (!std::ranges::equal(before_, chain_.u())) learn();
    turn_windows(at);
    if (chain_.now().count() >= kFewestForScales) chain_.now().scales(chain_.inverse_mass());
  }

  void turn_windows(index_t at) {
    if (chain_.next().count() < chain_[Chain::window]) return;
    const bool early = schedule_.early(at);
    // The last window is not cut short: what has begun goes on if another whole one would not fit in.
    const double growth = early ? 1 : kWindowGrowth;
    if (!early && static_cast<double>(schedule_.scales_end() - at) < growth * chain_[Chain::window]) return;
    chain_.turn_window();
    chain_[Chain::window] = early ? kEarlyWindow : std::max<double>(kFirstWindow, growth * chain_[Chain::window]);
  }

  [[noreturn]] void refuse_start(bool given) {
    std::string point;
    density::constrain(target_.blocks(), chain_.u().data(), x_.data());
    for (std::size_t i = 0; i < x_.size() && i < 8; ++i) point += (i > 0 ? ", " : "") + std::to_string(x_[i]);
    throw NumericalError("density: chain " + std::to_string(number_) + " has no start: " +
                         (given ? std::string("at the given one") : "at none of " + std::to_string(kMostStarts) + " tried") +
                         " are the log density and its gradient finite, last at parameters [" + point +
                         "]; expected finite numbers; pass init= with a point of the support");
  }

  const Target& target_;
  const Settings& settings_;
  Schedule schedule_;
  Chain chain_;
  std::uint64_t number_;
  Nuts nuts_;
  std::vector<double> x_, scratch_, before_;
};

std::vector<std::unique_ptr<Runner>> runners(const Target& target, const Settings& settings, std::span<double> states,
                                             runtime::CancelToken& token) {
  const index_t d = target.free_size(), size = state_size(d);
  std::vector<std::unique_ptr<Runner>> all;
  for (index_t c = 0; c * size < static_cast<index_t>(states.size()); ++c)
    all.push_back(std::make_unique<Runner>(target, settings, Chain(states.data() + c * size, d),
                                           static_cast<std::uint64_t>(c), token));
  return all;
}

}  // namespace

index_t state_size(index_t free_size) noexcept { return Chain::kHead + Chain::kVectors * free_size; }

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
