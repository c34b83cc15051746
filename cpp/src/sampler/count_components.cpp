#include "count_components.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "mlwright/base/elementary.hpp"
#include "simd/count_mixture.hpp"

namespace mlwright::sampler {
namespace {

constexpr double kWidth = 0.5;  // of a group, in the logarithm of the dispersion: values of F are then within 1e-11
constexpr double kLeast = 1e-300;  // of a dispersion: nothing is told apart there
constexpr int kFewestColumns = 6;
constexpr double kColumnsByWidth = 8;

index_t padded(index_t n) noexcept { return (n + 7) / 8 * 8; }

int columns_for(double width) noexcept {
  if (width == 0) return 1;
  return std::min(kFewestColumns + static_cast<int>(std::ceil(kColumnsByWidth * width)), simd::kCountMostColumns);
}

// Lagrange's polynomials of the group's dispersions at that of each component.
void weigh(CountGroup& group, const std::vector<double>& logs, std::span<const index_t> order) {
  const int columns = group.columns();
  group.weights.assign(static_cast<std::size_t>(columns * group.padded), 0);
  group.totals.assign(static_cast<std::size_t>(columns), 0);
  std::vector<double> nodes;
  for (const double phi : group.phis) nodes.push_back(log(phi));
  for (index_t i = 0; i < group.size; ++i) {
    const double u = logs[static_cast<std::size_t>(order[static_cast<std::size_t>(group.begin + i)])];
    for (int c = 0; c < columns; ++c) {
      double weight = 1;
      for (int other = 0; other < columns; ++other)
        if (other != c) weight *= (u - nodes[static_cast<std::size_t>(other)]) / (nodes[static_cast<std::size_t>(c)] - nodes[static_cast<std::size_t>(other)]);
      group.weights[static_cast<std::size_t>(c * group.padded + i)] = weight;
      group.totals[static_cast<std::size_t>(c)] += weight;
    }
  }
}

CountGroup poisson(index_t size) {
  CountGroup group{0, size, padded(size), 0, {0}, std::vector<double>(static_cast<std::size_t>(padded(size)), 0), {static_cast<double>(size)}};
  std::fill_n(group.weights.begin(), size, 1);
  return group;
}

CountGroup alike(index_t begin, index_t end, const std::vector<double>& logs, std::span<const index_t> order) {
  const double low = logs[static_cast<std::size_t>(order[static_cast<std::size_t>(begin)])];
  const double high = logs[static_cast<std::size_t>(order[static_cast<std::size_t>(end - 1)])];
  const double middle = 0.5 * (low + high), half = 0.5 * (high - low);
  CountGroup group{begin, end - begin, padded(end - begin), exp(middle), {}, {}, {}};
  const int columns = columns_for(high - low);
  for (int c = 0; c < columns; ++c) group.phis.push_back(exp(columns > 1 ? middle + half * chebyshev_point(c, columns) : middle));
  weigh(group, logs, order);
  return group;
}

}  // namespace

double chebyshev_point(int i, int n) noexcept { return std::cos((2 * i + 1) * std::numbers::pi / (2 * n)); }

CountComponents::CountComponents(index_t size, std::span<const double> given)
    : dispersions(given.begin(), given.end()), order(static_cast<std::size_t>(size)) {
  std::iota(order.begin(), order.end(), index_t{0});
  if (given.empty()) {
    groups.push_back(poisson(size));
  } else {
    std::vector<double> logs(given.size());
    std::transform(given.begin(), given.end(), logs.begin(), [](double phi) { return log(std::clamp(phi, kLeast, 1 / kLeast)); });
    std::stable_sort(order.begin(), order.end(), [&](index_t a, index_t b) { return logs[static_cast<std::size_t>(a)] < logs[static_cast<std::size_t>(b)]; });
    for (index_t begin = 0, end = 0; begin < size; begin = end) {
      const double most = logs[static_cast<std::size_t>(order[static_cast<std::size_t>(begin)])] + kWidth;
      while (end < size && logs[static_cast<std::size_t>(order[static_cast<std::size_t>(end)])] <= most) ++end;
      groups.push_back(alike(begin, end, logs, order));
    }
  }
  longest = 0;
  for (const CountGroup& group : groups) longest = std::max(longest, group.padded);
}

}  // namespace mlwright::sampler
