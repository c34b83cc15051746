#include "mlwright/tree/split.hpp"

#include <algorithm>
#include <cmath>

#include "simd/split.hpp"

namespace mlwright::tree {
namespace {

constexpr int kPadded = 264;  // 256 codes, and room for a whole vector past them

struct Prefix {
  std::int64_t g[kPadded];
  std::uint64_t hn[kPadded];
};

// Sums of codes 0 .. i for every i < n, starting from `start`.
void prefix_sums(std::span<const Entry> codes, int n, Entry start, Prefix& prefix) {
  for (int i = 0; i < n; ++i) {
    start.g += codes[static_cast<std::size_t>(i)].g;
    start.hn += codes[static_cast<std::size_t>(i)].hn;
    prefix.g[i] = start.g;
    prefix.hn[i] = start.hn;
  }
  for (int i = n; i < (n + 7) / 8 * 8; ++i) {
    prefix.g[i] = 0;
    prefix.hn[i] = 0;
  }
}

double side(double g, double h, const SplitRules& rules, double v) {
  return -(2 * g * v + (h + rules.l2) * v * v + 2 * rules.l1 * std::abs(v));
}

struct Constrained {
  const NodeSums& node;
  const FixedPoint& fixed;
  const SplitRules& rules;
  int direction;

  double gain(const Entry& left, const Entry& right) const {
    const double gl = fixed.g(left), hl = fixed.h(left), gr = fixed.g(right), hr = fixed.h(right);
    if (fixed.count(left) < rules.min_count || fixed.count(right) < rules.min_count || hl < rules.min_hessian ||
        hr < rules.min_hessian)
      return -1;
    const double vl = leaf_value(gl, hl, rules.l1, rules.l2, node.bounds);
    const double vr = leaf_value(gr, hr, rules.l1, rules.l2, node.bounds);
    if ((direction > 0 && vl > vr) || (direction < 0 && vl < vr)) return -1;
    return side(gl, hl, rules, vl) + side(gr, hr, rules, vr);
  }
};

struct Scan {
  index_t feature;
  const NodeSums& node;
  const FixedPoint& fixed;
  const SplitRules& rules;

  Entry right_of(const Entry& left) const { return {node.sum.g - left.g, node.sum.hn - left.hn}; }

  void gains(const Prefix& prefix, int n, double* gain) const {
    if (rules.monotonic.empty()) {
      simd::split().gains(prefix.g, prefix.hn, n, node.sum.g, node.sum.hn, fixed.count_bits, std::ldexp(1.0, -fixed.g_bits),
                          std::ldexp(1.0, -fixed.h_bits), rules.l1, rules.l2, rules.min_hessian, rules.min_count, gain);
      return;
    }
    const Constrained constrained{node, fixed, rules, rules.monotonic[static_cast<std::size_t>(feature)]};
    for (int i = 0; i < n; ++i) {
      const Entry left{prefix.g[i], prefix.hn[i]};
      gain[i] = constrained.gain(left, right_of(left));
    }
  }

  // Offers the cuts after codes `first` .. n - 1; `prefix` has the left sums of all of 0 .. n - 1.
  void offer(const Prefix& prefix, int first, int n, bool missing_left, Split& best) const {
    alignas(64) double gain[kPadded];
    gains(prefix, n, gain);
    int at = -1;
    double most = best.gain;
    for (int i = first; i < n; ++i)
      if (gain[i] > most) {
        most = gain[i];
        at = i;
      }
    if (at < 0) return;
    const Entry left{prefix.g[at], prefix.hn[at]};
    best = {feature, at, missing_left, most, left, right_of(left)};
  }
};

struct Cuts {
  int first, end;
};

Cuts draw_cut(std::span<const Entry> codes, int n_bins, const FixedPoint& fixed, runtime::Rng& rng) {
  int low = 0, high = n_bins - 1;
  while (low < high && fixed.count(codes[static_cast<std::size_t>(low)]) == 0) ++low;
  while (low < high && fixed.count(codes[static_cast<std::size_t>(high)]) == 0) --high;
  if (low == high) return {n_bins - 1, n_bins};
  const int cut = low + static_cast<int>(rng.below(static_cast<std::uint64_t>(high - low)));
  return {cut, cut + 1};
}

}  // namespace

double leaf_value(double g, double h, double l1, double l2, const Bounds& bounds) noexcept {
  const double t = g > l1 ? g - l1 : (g < -l1 ? g + l1 : 0.0);
  return h + l2 > 0 ? bounds.clip(-t / (h + l2)) : bounds.clip(0);
}

double gain_of_whole(const NodeSums& node, const FixedPoint& fixed, const SplitRules& rules) noexcept {
  const double g = fixed.g(node.sum), h = fixed.h(node.sum);
  return side(g, h, rules, leaf_value(g, h, rules.l1, rules.l2, node.bounds));
}

bool is_worth_it(double gain, double whole) noexcept { return !(gain <= 1e-12 * std::abs(whole)); }

Split best_split_of_feature(std::span<const Entry> codes, index_t feature, int n_bins, const NodeSums& node,
                            const FixedPoint& fixed, const SplitRules& rules, runtime::Rng* one_cut) {
  const bool has_missing = codes.size() > static_cast<std::size_t>(n_bins);
  const Scan scan{feature, node, fixed, rules};
  const double whole = gain_of_whole(node, fixed, rules);
  Split best;
  best.gain = whole;  // a cut must beat not cutting
  Prefix prefix;
  const int all = n_bins - 1 + (has_missing ? 1 : 0);  // the last one sets the missing values apart
  const Cuts cuts = one_cut == nullptr ? Cuts{0, all} : draw_cut(codes, n_bins, fixed, *one_cut);
  const int end = std::min(cuts.end, all), end_with_missing = std::min(cuts.end, n_bins - 1);
  prefix_sums(codes, end, {}, prefix);
  scan.offer(prefix, cuts.first, end, false, best);
  if (has_missing) {
    prefix_sums(codes, end_with_missing, codes[static_cast<std::size_t>(n_bins)], prefix);
    scan.offer(prefix, cuts.first, end_with_missing, true, best);
  }
  best.gain -= whole;
  if (!is_worth_it(best.gain, whole)) best.feature = -1;
  return best;
}

}  // namespace mlwright::tree
