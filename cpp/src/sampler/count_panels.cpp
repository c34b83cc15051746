#include "count_panels.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "count_law.hpp"
#include "simd/count_mixture.hpp"

namespace mlwright::sampler {
namespace {

constexpr std::size_t kNodes = simd::kCountDegree, kMoments = kNodes + 1;
constexpr double kHalfWidth = 1, kHalfWidthByPhi = 0.4;  // of a panel: the density's width is 1/2, of places times sqrt(phi) too
constexpr double kLeftReach = 6, kRightReach = 6, kRightReachByPhi = 18;  // beyond which there is less than 1e-15
constexpr double kMargin = 2;      // by which the place of k may move
constexpr double kNothing = 1e-9;  // the place of a mean of 1e-18, under which all counts are 0

// Points, and T_j at the point i as coefficients of interpolants have it.
struct Nodes {
  std::array<double, kNodes> x;
  std::array<std::array<double, kNodes>, kNodes> polynomials;
  Nodes() {
    for (std::size_t i = 0; i < kNodes; ++i) {
      x[i] = chebyshev_point(static_cast<int>(i), static_cast<int>(kNodes));
      for (std::size_t j = 0; j < kNodes; ++j)
        polynomials[i][j] = (j == 0 ? 1.0 : 2.0) / kNodes * std::cos(static_cast<double>(j * (2 * i + 1)) * std::numbers::pi / (2 * kNodes));
    }
  }
};

const Nodes& nodes() {
  static const Nodes made;
  return made;
}

// The sums of the integrals of T_j from -1 to the components' places, from the sums of T_j there.
std::array<double, kNodes> integrals(const double* moments) {
  std::array<double, kNodes> out;
  out[0] = moments[0] + moments[1];
  out[1] = 0.25 * (moments[2] - moments[0]);
  for (std::size_t j = 2; j < kNodes; ++j) {
    const auto degree = static_cast<double>(j);
    const double start = (j % 2 == 0 ? 1.0 : -1.0) / (degree * degree - 1);
    out[j] = 0.5 * (moments[j + 1] / (degree + 1) - moments[j - 1] / (degree - 1)) - start * moments[0];
  }
  return out;
}

}  // namespace

CountPanels::CountPanels(const CountGroup& group)
    : group_(&group),
      places_(static_cast<std::size_t>(group.padded)),
      moments_(group.phis.size() * kMoments),
      at_(group.phis.size()),
      before_(group.phis.size()) {}

void CountPanels::read(const double* means) {
  simd::count_mixture().places(means, group_->padded, group_->phi, places_.data());
  const auto [low, high] = std::minmax_element(places_.begin(), places_.begin() + group_->size);
  low_ = *low, high_ = *high;
}

void CountPanels::prepare(double k) {
  centre_ = place_of_mean(k, group_->phi);
  means_.clear();
  for (std::size_t c = 0; c < at_.size(); ++c) at_[c].clear(), before_[c].clear();
  const double lowest = std::max(0.0, centre_ - kMargin - kLeftReach);
  const double width = 2 * std::fmin(kHalfWidth, kHalfWidthByPhi / std::sqrt(group_->phi));
  double end = std::min(high_, centre_ + kMargin + kRightReach + kRightReachByPhi * std::sqrt(group_->phi));
  if (end <= kNothing) return;
  while (end > lowest) {
    const double begin = std::max(lowest, end - width);
    add_panel(begin, end);
    end = begin;
  }
}

bool CountPanels::covers(double k) const noexcept { return std::fabs(place_of_mean(k, group_->phi) - centre_) <= kMargin; }

void CountPanels::add_panel(double begin, double end) {
  const double middle = 0.5 * (begin + end), half = 0.5 * (end - begin);
  const int columns = group_->columns();
  if (low_ < end) {
    simd::count_mixture().moments(places_.data(), group_->weights.data(), group_->padded, columns, middle, 1 / half, moments_.data());
  } else {  // all of them lie above
    for (std::size_t c = 0; c < at_.size(); ++c) std::fill_n(moments_.begin() + static_cast<std::ptrdiff_t>(c * kMoments), kMoments, group_->totals[c]);
  }
  std::array<double, kNodes> slopes;  // of the mean by its place
  for (std::size_t i = 0; i < kNodes; ++i) {
    const double m = mean_at_place(middle + half * nodes().x[i], group_->phi);
    means_.push_back(m);
    slopes[i] = 2 * std::sqrt(m * (1 + group_->phi * m));
  }
  for (std::size_t c = 0; c < at_.size(); ++c) {
    const std::array<double, kNodes> sums = integrals(moments_.data() + c * kMoments);
    for (std::size_t i = 0; i < kNodes; ++i) {
      double weight = 0;
      for (std::size_t j = 0; j < kNodes; ++j) weight += nodes().polynomials[i][j] * sums[j];
      weight *= half * slopes[i];
      const double m = means_[means_.size() - kNodes + i];
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
