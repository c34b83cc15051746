#include "mlwright/loss/info.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>

#include "mlwright/loss/list.hpp"

namespace mlwright::loss {
namespace {

constexpr int kMostSteps = 200;  // bisection alone needs about 60 to separate doubles of one magnitude

struct Slope {
  double g = 0, h = 0;
};

template <class Loss>
Slope slope_at(Loss loss, std::span<const double> y, std::span<const double> w, double c) {
  Slope sum;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double weight = w.empty() ? 1.0 : w[i];
    sum.g += weight * loss.template grad_hess<ScalarMath>(y[i], c).g;
    sum.h += weight * loss.curvature(y[i], c);
  }
  return sum;
}

// Newton steps inside a bracket, which on a piecewise linear gradient end after finitely many; halves of the bracket where a
// step leaves it or there is no slope.
template <class Loss>
double newton_root(Loss loss, std::span<const double> y, std::span<const double> w) {
  auto [low, high] = std::ranges::minmax(y);
  double c = low / 2 + high / 2;
  for (int step = 0; step < kMostSteps && low < high; ++step) {
    const auto [g, h] = slope_at(loss, y, w, c);
    if (g == 0) return c;
    (g > 0 ? high : low) = c;
    double next = h > 0 ? c - g / h : low;
    if (!(next > low && next < high)) next = low / 2 + high / 2;
    if (std::abs(next - c) <= 4e-16 * std::abs(c)) return next;
    c = next;
  }
  return c;
}

// The midpoint of all minimisers where the loss is flat around its minimum c, so that rounding does not choose among them.
template <class Loss>
double middle_of_minimisers(Loss loss, std::span<const double> y, std::span<const double> w, double c) {
  constexpr double kInf = std::numeric_limits<double>::infinity(), kRounding = 1e-13;
  const double near = kRounding * (std::abs(c) + loss.reach());
  double low = -kInf, high = kInf, total = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    total += w.empty() ? 1.0 : w[i];
    for (const double kink : {y[i] - loss.reach(), y[i] + loss.reach()}) {
      if (kink < c - near) low = std::max(low, kink);
      if (kink > c + near) high = std::min(high, kink);
    }
  }
  const double zero = kRounding * total * loss.reach();
  const auto is_flat_to = [&](double kink) { return std::isfinite(kink) && std::abs(slope_at(loss, y, w, kink).g) <= zero; };
  return std::midpoint(is_flat_to(low) ? low : c, is_flat_to(high) ? high : c);
}

template <class Loss>
double root_of_gradient(Loss loss, std::span<const double> y, std::span<const double> w) {
  const double c = newton_root(loss, y, w);
  if constexpr (requires { loss.reach(); }) return middle_of_minimisers(loss, y, w, c);
  else return c;
}

template <class Loss>
double best_constant_of(double parameter, std::span<double> y, std::span<double> w) {
  const Loss loss = make<Loss>(parameter);
  if constexpr (Loss::kBest == Best::quantile) return weighted_quantile(y, w, loss.level());
  else if constexpr (Loss::kBest == Best::root) return root_of_gradient(loss, y, w);
  else return std::nan("");
}

template <class Loss>
constexpr Info info_of(const char* name) {
  return {name, Loss::kLink, Loss::kBest, Loss::kConvex, Loss::kConstantHessian, Loss::kRenewsLeaves, !__is_empty(Loss),
          Loss::in_domain, Loss::link, best_constant_of<Loss>};
}

#define MLWRIGHT_INFO_OF(name, Type) info_of<Type>(#name),
constexpr std::array kAll{MLWRIGHT_LOSSES(MLWRIGHT_INFO_OF)};
#undef MLWRIGHT_INFO_OF

double unweighted_quantile(std::span<double> y, double level) noexcept {
  const double target = level * static_cast<double>(y.size());
  const auto rank = std::min(static_cast<std::size_t>(std::max(std::ceil(target), 1.0)), y.size());
  const auto at = y.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::ranges::nth_element(y, at);
  const bool on_the_step = target == static_cast<double>(rank) && rank < y.size();
  return on_the_step ? std::midpoint(*at, *std::min_element(at + 1, y.end())) : *at;
}

// Splits [low, high) into less than, equal to and greater than the pivot.
struct Three {
  std::size_t equal, greater;  // where those begin
  double less_weight, equal_weight;
};

Three partition(std::span<double> y, std::span<double> w, std::size_t low, std::size_t high, double pivot) noexcept {
  Three three{low, high, 0, 0};
  for (std::size_t i = low; i < three.greater;) {
    if (y[i] < pivot) {
      three.less_weight += w[i];
      std::swap(y[i], y[three.equal]);
      std::swap(w[i++], w[three.equal++]);
    } else if (y[i] > pivot) {
      --three.greater;
      std::swap(y[i], y[three.greater]);
      std::swap(w[i], w[three.greater]);
    } else {
      three.equal_weight += w[i++];
    }
  }
  return three;
}

}  // namespace

std::span<const Info> all() { return kAll; }

int find(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kAll.size(); ++i)
    if (name == kAll[i].name) return static_cast<int>(i);
  return -1;
}

double weighted_quantile(std::span<double> y, std::span<double> w, double level) noexcept {
  if (w.empty()) return unweighted_quantile(y, level);
  double total = 0;
  for (const double v : w) total += v;
  const double target = level * total;
  std::size_t low = 0, high = y.size();
  double below = 0, next = std::nan("");  // weight before `low`; the least value from `high` on
  std::uint64_t state = high;
  const auto draw = [&] {  // any fixed sequence: keeps sorted and organ-pipe inputs linear
    state = state * 6364136223846793005U + 1442695040888963407U;
    return y[low + (state >> 33) % (high - low)];
  };
  while (true) {
    const double a = draw(), b = draw(), c = draw();
    const double pivot = std::max(std::min(a, b), std::min(std::max(a, b), c));
    const Three three = partition(y, w, low, high, pivot);
    const double up_to = below + three.less_weight + three.equal_weight;
    if (three.equal > low && target <= below + three.less_weight) {
      high = three.equal;
      next = pivot;
    } else if (target > up_to && three.greater < high) {
      low = three.greater;
      below = up_to;
    } else {
      if (target != up_to) return pivot;
      if (three.greater < high) next = *std::min_element(y.begin() + static_cast<std::ptrdiff_t>(three.greater),
                                                         y.begin() + static_cast<std::ptrdiff_t>(high));
      return std::isnan(next) ? pivot : std::midpoint(pivot, next);
    }
  }
}

}  // namespace mlwright::loss
