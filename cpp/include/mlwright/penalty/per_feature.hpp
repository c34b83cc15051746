// Penalties of whole coefficient vectors that are sums over coefficients: at(j) is the penalty of coefficient j, composed from
// common strengths and weights per feature. Views: the arrays must outlive them.
#pragma once

#include <type_traits>

#include "mlwright/base/view.hpp"
#include "mlwright/penalty/box.hpp"
#include "mlwright/penalty/elastic_net.hpp"
#include "mlwright/penalty/mcp.hpp"
#include "mlwright/penalty/scad.hpp"

namespace mlwright::penalty {

// l1 l1_weight[j] |b_j| + l2 l2_weight[j] b_j^2 / 2; a weight of zero leaves a coefficient free.
struct ElasticNets {
  static constexpr bool kConvex = true;
  double l1, l2;
  const double *l1_weight, *l2_weight;
  ElasticNet at(index_t j) const noexcept { return {l1 * l1_weight[j], l2 * l2_weight[j]}; }
};

// Mcp or Scad of strength * weight[j] in coefficients divided by unit[j]: P_j(b) = P(unit[j] b).
template <class Penalty>
struct Rescaled {
  static constexpr bool kConvex = Penalty::kConvex;
  Penalty inner;
  double unit;

  double value(double b) const noexcept { return inner.value(unit * b); }
  double prox(double v, double step) const noexcept { return inner.prox(unit * v, step * unit * unit) / unit; }
  Interval subdifferential(double b) const noexcept {
    const Interval slopes = inner.subdifferential(unit * b);
    return {unit * slopes.low, unit * slopes.high};
  }
  Minima minima(double v, double step) const noexcept {
    const Minima minima = inner.minima(unit * v, step * unit * unit);
    return {minima.near / unit, minima.far / unit};
  }
  Piece piece(double b) const noexcept {
    const Piece piece = inner.piece(unit * b);
    return {unit * piece.slope, unit * unit * piece.curvature, piece.low / unit, piece.high / unit};
  }
};

template <class Penalty>
struct Concaves {
  static constexpr bool kConvex = false;
  double strength, gamma;
  const double *weight, *unit;
  Rescaled<Penalty> at(index_t j) const noexcept { return {{strength * weight[j], gamma}, unit[j]}; }
};

// A family within bounds, low[j] <= 0 <= high[j].
template <class Family>
struct Boxed {
  static constexpr bool kConvex = Family::kConvex;
  Family inner;
  const double *low, *high;
  auto at(index_t j) const noexcept { return Box<decltype(inner.at(j))>{inner.at(j), low[j], high[j]}; }
};

}  // namespace mlwright::penalty
