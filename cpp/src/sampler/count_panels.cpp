#include "count_panels.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "count_law.hpp"
#include "simd/count_mixture.hpp"

namespace mlwright::sampler {
namespace {

constexpr std::size_t kMostNodes = simd::kCountMostDegree;
constexpr double kNarrow = 0.5, kVeryNarrow = 0.1;  // of the widest panel, with 16 and 8 nodes instead of 24
constexpr double kHalfWidth = 1, kHalfWidthByPhi = 0.4;  // of a panel: the density's width is 1/2, of places times sqrt(phi) too
constexpr double kLeftReach = 6, kRightReach = 6, kRightReachByPhi = 18;  // beyond which there is less than 1e-15
constexpr double kMargin = 2;      // by which the place of k may move
constexpr double kShared = 8;      // between the least and the largest k that are asked of the same panels
constexpr double kNothing = 1e-9;  // the place of a mean of 1e-18, under which all counts are 0

// Points, and T_j at the point i as coefficients of interpolants have it.
template <std::size_t n>
struct Nodes {
  std::array<double, n> x;
  std::array<double, n * n> polynomials;
  Nodes() {
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = chebyshev_point(static_cast<int>(i), static_cast<int>(n));
      for (std::size_t j = 0; j < n; ++j)
        polynomials[i * n + j] = (j == 0 ? 1.0 : 2.0) / n * std::cos(static_cast<double>(j * (2 * i + 1)) * std::numbers::pi / (2 * n));
    }
  }
};

struct NodesView {
  std::size_t size;
  const double *x, *polynomials;
};

template <std::size_t n>
NodesView nodes_of() {
  static const Nodes<n> made;
  return {n, made.x.data(), made.polynomials.data()};
}

// For a panel of that width, of the widest.
NodesView nodes_for(double width) {
  return width <= kVeryNarrow ? nodes_of<8>() : width <= kNarrow ? nodes_of<16>() : nodes_of<kMostNodes>();
}

// The sums of the integrals of T_j, j < n, from -1 to the components' places, from the sums of T_j there, j <= n.
void integrals(const double* moments, std::size_t n, double* out) {
  out[0] = moments[0] + moments[1];
  out[1] = 0.25 * (moments[2] - moments[0]);
  for (std::size_t j = 2; j < n; ++j) {
    const auto degree = static_cast<double>(j);
    const double start = (j % 2 == 0 ? 1.0 : -1.0) / (degree * degree - 1);
    out[j] = 0.5 * (moments[j + 1] / (degree + 1) - moments[j - 1] / (degree - 1)) - start * moments[0];
  }
}

}  // namespace

CountPanels::CountPanels(const CountGroup& group)
    : group_(&group),
      places_(static_cast<std::size_t>(group.padded)),
      moments_(group.phis.size() * (kMostNodes + 1)),
      at_(group.phis.size()),
      before_(group.phis.size()) {}

void CountPanels::read(const double* means) {
  simd::count_mixture().places(means, group_->padded, group_->phi, places_.data());
  const auto [low, high] = std::minmax_element(places_.begin(), places_.begin() + group_->size);
  low_ = *low, high_ = *high;
}

void CountPanels::prepare(double low, double high) {
  const double phi = group_->phi, bottom = place_of_mean(low, phi), top = place_of_mean(high, phi);
  from_ = bottom - kMargin, to_ = (top - bottom <= kShared ? top : bottom) + kMargin;
  means_.clear();
  for (std::size_t c = 0; c < at_.size(); ++c) at_[c].clear(), before_[c].clear();
  const double lowest = std::max(0.0, from_ - kLeftReach), widest = widest_panel();
  double end = std::min(high_, to_ + kRightReach + kRightReachByPhi * std::sqrt(phi));
  if (end <= kNothing) return;
  while (end > lowest) {
    double begin = std::max(lowest, end - widest);
    if (low_ < end) begin = std::max(begin, low_);  // narrow where all components lie near each other
    add_panel(begin, end);
    end = begin;
  }
}

bool CountPanels::covers(double k) const noexcept {
  const double place = place_of_mean(k, group_->phi);
  return from_ <= place && place <= to_;
}

double CountPanels::widest_panel() const noexcept {
  return 2 * (group_->phi == 0 ? kHalfWidth : std::fmin(kHalfWidth, kHalfWidthByPhi / std::sqrt(group_->phi)));
}

void CountPanels::add_panel(double begin, double end) {
  const double middle = 0.5 * (begin + end), half = 0.5 * (end - begin);
  const NodesView nodes = nodes_for((end - begin) / widest_panel());
  const std::size_t n = nodes.size, first = means_.size(), moments = n + 1;
  if (low_ < end) {
    simd::count_mixture().moments(places_.data(), group_->weights.data(), group_->padded, group_->columns(), static_cast<int>(n), middle,
                                  1 / half, moments_.data());
  } else {  // all of them lie above
    for (std::size_t c = 0; c < at_.size(); ++c) std::fill_n(moments_.begin() + static_cast<std::ptrdiff_t>(c * moments), moments, group_->totals[c]);
  }
  std::array<double, kMostNodes> slopes, sums;  // slopes: of the mean by its place
  for (std::size_t i = 0; i < n; ++i) {
    const double m = mean_at_place(middle + half * nodes.x[i], group_->phi);
    means_.push_back(m);
    slopes[i] = 2 * std::sqrt(m * (1 + group_->phi * m));
  }
  for (std::size_t c = 0; c < at_.size(); ++c) {
    integrals(moments_.data() + c * moments, n, sums.data());
    for (std::size_t i = 0; i < n; ++i) {
      double weight = 0;
      for (std::size_t j = 0; j < n; ++j) weight += nodes.polynomials[i * n + j] * sums[j];
      weight *= half * slopes[i];
      const double m = means_[first + i];
      at_[c].push_back(weight / (1 + group_->phis[c] * m));
      before_[c].push_back(weight / m);
    }
  }
}

void CountPanels::add(double k, CountShares& shares) const {
  for (std::size_t c = 0; c < at_.size(); ++c) {
    const double phi = group_->phis[c];
    double at, before;
    simd::count_mixture().sums({k, phi, log_probability_at_mean(k, phi)}, means_.data(), at_[c].data(), before_[c].data(),
                               static_cast<index_t>(means_.size()), &at, &before);
    shares.above += (1 + phi * k) * at;
    shares.above_before += k * before;
  }
}

}  // namespace mlwright::sampler
