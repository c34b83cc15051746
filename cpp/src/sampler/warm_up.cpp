#include "sampler/warm_up.hpp"

#include <algorithm>
#include <cmath>

#include "mlwright/base/elementary.hpp"

namespace mlwright::sampler {
namespace {

constexpr index_t kEarlyWindow = 10, kFirstWindow = 80, kFewestForScales = 3, kFewestForDirections = 20;
constexpr double kWindowGrowth = 1.5, kDirectionsGrowth = 1.25;

}  // namespace

// Scales of a first guess: of the law that chains start from; or a normal's gradient is its distance from the mode over its
// variance.
void WarmUp::begin() {
  for (std::size_t i = 0; i < row_.u().size(); ++i)
    row_.inverse_mass()[i] =
        settings_.normal.empty() ? 1 / std::clamp(std::fabs(row_.gradient()[i]), 1e-10, 1e10) : settings_.normal.variance(i);
  row_.now().clear();
  row_.next().clear();
  row_[ChainRow::remembered] = row_[ChainRow::learnt_at] = row_[ChainRow::n_directions] = 0;
  row_[ChainRow::window] = static_cast<double>(settings_.remembers() ? kFewestForDirections : kEarlyWindow);
  add();
}

void WarmUp::set_step(double step) {
  DualAveraging averaging;
  averaging.restart(step);
  row_.set(averaging);
  row_[ChainRow::step] = step;
}

void WarmUp::add() {
  row_.now().add(row_.u(), row_.gradient());
  row_.next().add(row_.u(), row_.gradient());
  if (settings_.remembers()) row_.memory().add(row_.u(), row_.gradient());
}

void WarmUp::learn(index_t at, const Info& info, std::span<const double> before) {
  learn_step(at, info.acceptance);
  if (!schedule_.learns_scales(at)) return;
  if (!std::ranges::equal(before, row_.u())) add();
  turn_windows(at);
  learn_metric(at);
}

void WarmUp::learn_step(index_t at, double acceptance) {
  DualAveraging averaging = row_.step_averaging();
  averaging.update(acceptance, settings_.target_acceptance);
  row_.set(averaging);
  const bool last = at + 1 == settings_.warm_up;
  row_[ChainRow::step] = exp(last ? averaging.log_step_mean : averaging.log_step);
}

void WarmUp::turn_windows(index_t at) {
  if (row_.next().count() < row_[ChainRow::window]) return;
  const bool early = schedule_.early(at);
  // The last window is not cut short: what has begun goes on if another whole one would not fit in.
  const double growth = early ? 1 : kWindowGrowth;
  if (!early && static_cast<double>(schedule_.scales_end() - at) < growth * row_[ChainRow::window]) return;
  row_.turn_window();
  row_[ChainRow::learnt_at] = 0;
  if (!early) row_[ChainRow::window] = std::max<double>(kFirstWindow, growth * row_[ChainRow::window]);
}

// Directions cost more than scales and belong to them: found again when a quarter more draws are known, and at the end.
void WarmUp::learn_metric(index_t at) {
  const double known = row_.now().count();
  const bool last = at + 1 == schedule_.scales_end();
  const bool directions = settings_.remembers() && known >= kFewestForDirections && (last || known >= kDirectionsGrowth * row_[ChainRow::learnt_at]);
  if (known < kFewestForScales || (row_[ChainRow::n_directions] > 0 && !directions)) return;
  row_.now().scales(row_.inverse_mass());
  if (!directions) return;
  row_[ChainRow::learnt_at] = known;
  const index_t found = find_directions(row_.memory(), static_cast<index_t>(known), row_.inverse_mass(), row_.stretch(), row_.directions());
  row_[ChainRow::n_directions] = static_cast<double>(found);
}

}  // namespace mlwright::sampler
