#include "tree/quantile_cuts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mlwright::tree {
namespace {

constexpr double kLargest = std::numeric_limits<double>::max();

// A number t with a <= t < b, their mean if it is one.
double between(double a, double b) {
  double middle = (a + b) / 2;
  if (!std::isfinite(middle)) middle = std::isfinite(a) && std::isfinite(b) ? a / 2 + b / 2 : middle;
  if (!(middle >= a && middle < b)) middle = a;
  return std::clamp(middle, -kLargest, kLargest);
}

std::vector<double> midpoints(const std::vector<double>& distinct) {
  std::vector<double> cuts;
  for (std::size_t i = 0; i + 1 < distinct.size(); ++i) cuts.push_back(between(distinct[i], distinct[i + 1]));
  return cuts;
}

std::vector<double> quantiles(const Runs& runs, int max_bins) {
  const std::vector<double>& value = runs.value;
  std::vector<double> cuts;
  std::size_t i = 0;
  for (int k = 1; k < max_bins; ++k) {
    const double target = runs.cumulative.back() * k / max_bins;
    while (i + 1 < value.size() && runs.cumulative[i] < target) ++i;
    const bool on_the_step = runs.cumulative[i] == target && i + 1 < value.size();
    const double cut = on_the_step ? between(value[i], value[i + 1]) : std::clamp(value[i], -kLargest, kLargest);
    if (cuts.empty() || cut > cuts.back()) cuts.push_back(cut);
  }
  if (!cuts.empty() && cuts.back() >= value.back()) cuts.pop_back();  // nothing lies above it
  return cuts;
}

}  // namespace

std::vector<double> cuts_of(const Runs& runs, int max_bins) {
  return runs.value.size() <= static_cast<std::size_t>(max_bins) ? midpoints(runs.value) : quantiles(runs, max_bins);
}

}  // namespace mlwright::tree
