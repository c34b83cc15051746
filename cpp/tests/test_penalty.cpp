// The verbs of every penalty of one coefficient, against a grid of candidates.
#include "mlwright/penalty/per_feature.hpp"

#include <array>

#include "check.hpp"

using namespace mlwright::penalty;

namespace {

constexpr double kPoints[] = {-7.0, -2.5, -1.3, -1.0, -0.4, 0.0, 0.3, 1.0, 1.2, 2.0, 3.1, 9.0};
constexpr double kSteps[] = {0.2, 1.0, 1.7, 30.0};

template <class Penalty>
bool prox_is_best(const Penalty& penalty) {
  for (const double v : kPoints)
    for (const double step : kSteps) {
      const auto objective = [&](double b) { return 0.5 * (b - v) * (b - v) + step * penalty.value(b); };
      const double least = objective(penalty.prox(v, step));
      for (double b = -12.0; b <= 12.0; b += 0.01)
        if (!(least <= objective(b) + 1e-9)) return false;
    }
  return true;
}

template <class Penalty>
bool prox_is_stationary(const Penalty& penalty) {
  for (const double v : kPoints)
    for (const double step : kSteps) {
      const double b = penalty.prox(v, step);
      if (subdiff_distance(penalty, b, (b - v) / step) > 1e-12) return false;
    }
  return true;
}

template <class Penalty>
bool pieces_are_slopes(const Penalty& penalty) {
  for (const double b : kPoints) {
    const Piece piece = penalty.piece(b);
    if (!(piece.low < b && b < piece.high)) continue;
    const double h = 1e-6, slope = (penalty.value(b + h) - penalty.value(b - h)) / (2 * h);
    if (std::fabs(slope - piece.slope - piece.curvature * b) > 1e-6) return false;
  }
  return true;
}

template <class Penalty>
bool conjugate_bounds(const Penalty& penalty) {
  for (const double u : kPoints) {
    double most = -kInfinity;
    for (double b = -60.0; b <= 60.0; b += 0.01) most = std::max(most, u * b - penalty.value(b));
    const double conjugate = penalty.conjugate(u);
    if (conjugate < most - 1e-9 || (std::isfinite(conjugate) && conjugate > most + 0.1)) return false;
    if (!std::isfinite(penalty.conjugate(u * penalty.dual_scale(u, 0.0)))) return false;
  }
  return true;
}

}  // namespace

TEST(penalty_convex) {
  const ElasticNet lasso{1.2, 0.0}, net{0.7, 0.5}, ridge{0.0, 2.0};
  CHECK(prox_is_best(lasso) && prox_is_best(net) && prox_is_best(ridge) && prox_is_best(L1{0.3}));
  CHECK(prox_is_stationary(lasso) && prox_is_stationary(net) && prox_is_stationary(ridge) && prox_is_stationary(L1{0.3}));
  CHECK(pieces_are_slopes(lasso) && pieces_are_slopes(net) && pieces_are_slopes(ridge));
  CHECK(conjugate_bounds(lasso) && conjugate_bounds(net) && conjugate_bounds(ridge));
}

TEST(penalty_box) {
  const Box<ElasticNet> positive{{1.2, 0.0}, 0.0, kInfinity}, both{{0.5, 0.3}, -1.0, 2.0}, free{{0.0, 0.0}, -1.0, 2.0};
  CHECK(prox_is_best(positive) && prox_is_best(both) && prox_is_best(free));
  CHECK(prox_is_stationary(positive) && prox_is_stationary(both) && prox_is_stationary(free));
  CHECK(pieces_are_slopes(positive) && pieces_are_slopes(both));
  CHECK(conjugate_bounds(positive) && conjugate_bounds(both) && conjugate_bounds(free));
}

TEST(penalty_concave_box) {
  for (const auto [low, high] : {std::array<double, 2>{0.0, kInfinity}, {-1.0, 2.0}, {-kInfinity, 0.5}, {-4.0, 0.0}}) {
    const Box<Mcp> mcp{{1.0, 1.5}, low, high};
    const Box<Scad> scad{{1.0, 3.7}, low, high}, steep{{0.5, 1.6}, low, high};
    const Box<Rescaled<Mcp>> rescaled{{{1.0, 1.5}, 0.5}, low, high};
    CHECK(prox_is_best(mcp) && prox_is_best(scad) && prox_is_best(steep) && prox_is_best(rescaled));
    CHECK(prox_is_stationary(mcp) && prox_is_stationary(scad) && prox_is_stationary(steep) && prox_is_stationary(rescaled));
  }
}

TEST(penalty_concave) {
  const Mcp mcp{1.0, 1.5};
  const Scad scad{1.0, 3.7};
  const Rescaled<Mcp> rescaled{mcp, 0.5};
  CHECK(prox_is_best(mcp) && prox_is_best(scad) && prox_is_best(rescaled) && prox_is_best(Scad{0.5, 2.5}));
  CHECK(prox_is_stationary(mcp) && prox_is_stationary(scad) && prox_is_stationary(rescaled));
  CHECK(pieces_are_slopes(mcp) && pieces_are_slopes(scad) && pieces_are_slopes(rescaled));
}
