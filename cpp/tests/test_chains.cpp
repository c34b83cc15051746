#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "check.hpp"
#include "mlwright/sampler/chains.hpp"
#include "mlwright/sampler/diagnostics.hpp"

using namespace mlwright;
using namespace mlwright::sampler;

namespace {

constexpr double kScales[] = {1.0, 100.0, 0.01};

int gaussian(std::size_t d, const double* x, double* gradient, double* log_density, void*) {
  *log_density = 0;
  for (std::size_t i = 0; i < d; ++i) {
    const double z = x[i] / kScales[i];
    *log_density -= 0.5 * z * z;
    gradient[i] = -z / kScales[i];
  }
  return 0;
}

int undefined(std::size_t, const double*, double*, double*, void*) { return 1; }
int failing(std::size_t, const double*, double*, double*, void*) { return -1; }

const std::vector<density::Block> kFree{{density::Constraint::none, 3}};

struct Run {
  std::vector<double> states, draws, statistics;
};

// Of the gaussian itself, and of twice its deviations.
const std::vector<double> kMean{0, 0, 0}, kWide{2.0, 200.0, 0.02};

std::vector<Settings> ways(index_t warm_up) {
  const Settings nuts{.seed = 5, .warm_up = warm_up};
  std::vector<Settings> all(5, nuts);
  all[1].finds_directions = true;
  all[2].method = Method::hmc, all[2].n_steps = 4;
  all[3].method = Method::independence;
  all[4].method = Method::elliptical;
  for (const std::size_t i : {3, 4}) all[i].normal = {kMean, kWide};
  return all;
}

Run run(index_t chains, const Settings& settings, std::vector<index_t> parts) {
  const Target target(&gaussian, nullptr, kFree);
  const index_t warm_up = settings.warm_up;
  runtime::CancelToken token;
  runtime::Progress progress;
  Run out;
  out.states.resize(static_cast<std::size_t>(chains * state_size(3, settings)));
  initialise(target, settings, {}, out.states, token);
  index_t done = 0;
  for (const index_t n : parts) {  // the parts of one chain only are joined by appending
    const index_t kept = std::max<index_t>(done + n - std::max(done, warm_up), 0);
    std::vector<double> draws(static_cast<std::size_t>(chains * kept * 3)), told(static_cast<std::size_t>(chains * kept * kStatisticsCount));
    sample(target, settings, n, out.states, draws.data(), told.data(), token, progress);
    out.draws.insert(out.draws.end(), draws.begin(), draws.end());
    done += n;
  }
  return out;
}

}  // namespace

TEST(chains_of_every_kind_draw_from_the_density) {
  for (const Settings& settings : ways(300)) {
    // Elliptical slices take the density for a likelihood: with its prior the deviations are sqrt(4 / 5) of it.
    const double narrower = settings.method == Method::elliptical ? std::sqrt(0.8) : 1;
    const Run out = run(4, settings, {2300});
    runtime::CancelToken token;
    Diagnostics told[3];
    diagnose({out.draws.data(), 4, 2000, 3}, told, token);
    for (int i = 0; i < 3; ++i) {
      CHECK(std::fabs(told[i].mean) < 5 * told[i].mcse_mean);
      CHECK(std::fabs(told[i].sd - narrower * kScales[i]) < 5 * told[i].mcse_sd);
      CHECK(told[i].rhat < 1.01);
      CHECK(told[i].ess_bulk > 700);
    }
  }
}

TEST(chains_of_every_kind_go_on_to_the_bit_from_their_states) {
  for (const Settings& settings : ways(60)) {
    const Run whole = run(1, settings, {110}), parts = run(1, settings, {7, 50, 53});
    CHECK(whole.draws == parts.draws);
    CHECK(whole.states == parts.states);
  }
}

TEST(chains_say_where_a_density_fails) {
  runtime::CancelToken token;
  const Settings settings;
  std::vector<double> states(static_cast<std::size_t>(state_size(3, settings)));
  const Target nowhere(&undefined, nullptr, kFree), raises(&failing, nullptr, kFree);
  CHECK(CHECK_THROWS(NumericalError, initialise(nowhere, settings, {}, states, token)).find("has no start") != std::string::npos);
  CHECK(CHECK_THROWS(NumericalError, initialise(raises, settings, {}, states, token)).find("raised an exception") != std::string::npos);
}

TEST(chains_end_when_cancelled) {
  const Target target(&gaussian, nullptr, kFree);
  const Settings settings{.seed = 1, .warm_up = 10};
  runtime::CancelToken token;
  runtime::Progress progress;
  std::vector<double> states(static_cast<std::size_t>(state_size(3, settings)));
  initialise(target, settings, {}, states, token);
  token.cancel();
  std::vector<double> draws(3 * 1000), told(kStatisticsCount * 1000);
  CHECK_THROWS(Cancelled, sample(target, settings, 1010, states, draws.data(), told.data(), token, progress));
}
