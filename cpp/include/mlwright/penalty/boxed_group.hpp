// A sparse group lasso restricted to low_i <= b_ik <= high_i, where low_i <= 0 <= high_i: P(b) inside, infinite outside. Null
// bounds are none.
//
// Where b is not zero, the norm acts like a ridge of strength norm / |b|: of a given |b|, each coefficient is on its own, and is
// the projection of what it were without bounds. So prox and conjugate are found on a curve b(c) = clamp(c z), z the input after
// the soft thresholds; the c where b(c) is as long as its own ridge supposes is the one root of a falling function.
//
// The verbs are those of penalty/verbs.hpp, of blocks. They neither allocate nor throw.
#pragma once

#include <algorithm>
#include <cmath>

#include "mlwright/penalty/sparse_group.hpp"

namespace mlwright::penalty {

struct BoxedGroup {
  SparseGroup inner;
  const double *low, *high;  // of the block's features

  bool is_bounded() const noexcept { return low != nullptr; }
  double lowest(index_t e) const noexcept { return low[e / inner.t]; }
  double highest(index_t e) const noexcept { return high[e / inner.t]; }

  // Whether entry e, which is b, is at a bound.
  bool is_held(index_t e, double b) const noexcept { return is_bounded() && (b <= lowest(e) || b >= highest(e)); }

  double value(const double* b) const noexcept {
    if (is_bounded())
      for (index_t e = 0; e < inner.size(); ++e)
        if (b[e] < lowest(e) || b[e] > highest(e)) return kInfinity;
    return inner.value(b);
  }

  // v becomes argmin_b |b - v|^2 / 2 + step P(b).
  void prox(double* v, double step) const noexcept {
    if (!is_bounded()) return inner.prox(v, step);
    for (index_t e = 0; e < inner.size(); ++e) v[e] = soft_threshold(v[e], step * inner.l1 * inner.weight_of(e));
    const double c = factor([&](index_t e) { return v[e]; }, 1.0 + step * inner.ridge, step * inner.norm);
    for (index_t e = 0; e < inner.size(); ++e) v[e] = within(e, c, v[e]);
  }

  // Of -g, the gradient of the smooth part, to the subdifferential at b.
  double subdiff_distance(const double* b, const double* g) const noexcept {
    if (!is_bounded()) return inner.subdiff_distance(b, g);
    double squares = 0.0;
    for (index_t e = 0; e < inner.size(); ++e) squares += b[e] * b[e];
    if (squares == 0.0)
      return std::max(0.0, inner.beyond(g, 1.0, [&](index_t e) { return g[e] > 0.0 ? lowest(e) < 0.0 : highest(e) > 0.0; }));
    const double pull = inner.ridge + inner.norm / std::sqrt(squares);
    double sum = 0.0;
    for (index_t e = 0; e < inner.size(); ++e) {
      const double slope = g[e] + pull * b[e], edge = inner.l1 * inner.weight_of(e);
      const double least = b[e] <= lowest(e) ? -kInfinity : b[e] > 0.0 ? edge : -edge;
      const double most = b[e] >= highest(e) ? kInfinity : b[e] < 0.0 ? -edge : edge;
      const double off = std::max({0.0, least + slope, -slope - most});
      sum += off * off;
    }
    return std::sqrt(sum);
  }

  // sup_b scale u'b - P(b); infinite outside its domain.
  double conjugate(const double* u, double scale) const noexcept {
    if (!is_bounded()) return inner.conjugate(u, scale);
    const auto z = [&](index_t e) { return soft_threshold(scale * u[e], inner.l1 * inner.weight_of(e)); };
    const double c = factor(z, inner.ridge, inner.norm);
    double product = 0.0, squares = 0.0;
    for (index_t e = 0; e < inner.size(); ++e) {
      const double b = within(e, c, z(e));
      if (std::isinf(b)) return kInfinity;
      product += z(e) * b;
      squares += b * b;
    }
    return std::max(0.0, product - inner.norm * std::sqrt(squares) - 0.5 * inner.ridge * squares);
  }

  // The largest s up to `limit` for which s v, but for entries that a bound stops at b, is in the domain of the conjugate without
  // ridge and bounds: a bound that is far away would make much of a small excess.
  double dual_scale(const double* v, const double* b, double limit) const noexcept {
    if (!is_bounded()) return inner.dual_scale(v, limit, kEvery);
    return inner.dual_scale(v, limit, [&](index_t e) { return v[e] > 0.0 ? b[e] < highest(e) : b[e] > lowest(e); });
  }

 private:
  static constexpr int kMostSteps = 100;
  static constexpr double kExact = 1e-15;

  double within(index_t e, double c, double z) const noexcept {
    return z == 0.0 || c == 0.0 ? 0.0 : std::clamp(c * z, lowest(e), highest(e));
  }

  // The c for which clamp(c z) minimises over b, within bounds, ridge |b|^2 / 2 + norm |b| - z'b: the root of
  // |clamp(c z)| (1 / c - ridge) = norm. Zero where b is; infinite where nothing but bounds ends b.
  template <class Entry>
  double factor(const Entry& z, double ridge, double norm) const noexcept {
    double squares = 0.0, endless = 0.0, ends = 0.0, nearest = kInfinity;
    for (index_t e = 0; e < inner.size(); ++e) {
      const double size = std::fabs(z(e)), end = z(e) > 0.0 ? highest(e) : -lowest(e);
      if (size == 0.0 || end == 0.0) continue;
      squares += size * size;
      nearest = std::min(nearest, end / size);
      (std::isinf(end) ? endless : ends) += std::isinf(end) ? size * size : end * end;
    }
    const double size = std::sqrt(squares);
    if (size <= norm) return 0.0;
    double most = ridge > 0.0 ? (1.0 - norm / size) / ridge : kInfinity;  // where no bound is met
    if (most <= nearest || norm == 0.0) return most;
    if (ridge == 0.0) {
      if (endless >= norm * norm) return kInfinity;
      most = std::max(nearest, std::sqrt(ends / (norm * norm - endless)));  // where every bound is
    }
    return root(z, ridge, norm, nearest, most);
  }

  // Newton's steps, halving where they leave what is known to hold the root.
  template <class Entry>
  double root(const Entry& z, double ridge, double norm, double least, double most) const noexcept {
    double c = most;
    for (int step = 0; step < kMostSteps; ++step) {
      double inside = 0.0, held = 0.0;
      for (index_t e = 0; e < inner.size(); ++e) {
        const double size = std::fabs(z(e)), end = z(e) > 0.0 ? highest(e) : -lowest(e);
        if (c * size <= end)
          inside += size * size;
        else
          held += (end / c) * (end / c);
      }
      const double length = std::sqrt(inside + held), excess = length * (1.0 - c * ridge) - norm;
      (excess > 0.0 ? least : most) = c;
      const double slope = -held / (c * length) * (1.0 - c * ridge) - length * ridge;
      double next = c - excess / slope;
      if (!(next > least && next < most)) next = std::sqrt(least) * std::sqrt(most);
      const bool settled = std::fabs(next - c) <= kExact * c;
      c = next;
      if (settled || most - least <= kExact * most) break;
    }
    return c;
  }
};

}  // namespace mlwright::penalty
