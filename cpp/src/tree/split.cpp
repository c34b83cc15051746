#include "mlwright/tree/split.hpp"

#include <algorithm>
#include <cmath>

#include "tree/cut_rules.hpp"

namespace mlwright::tree {
namespace {

double side(double g, double h, const SplitRules& rules, double v) {
  return -(2 * g * v + (h + rules.l2) * v * v + 2 * rules.l1 * std::abs(v));
}

// Below the gain of every node: that of one whose bounds are far from its own best value may be any negative number.
constexpr double kRefused = -std::numeric_limits<double>::infinity();

struct Constrained {
  const NodeSums& node;
  const FixedPoint& fixed;
  const SplitRules& rules;
  int direction;

  double gain(const Entry& left, const Entry& right) const {
    const double gl = fixed.g(left), hl = fixed.h(left), gr = fixed.g(right), hr = fixed.h(right);
    if (fixed.count(left) < rules.min_count || fixed.count(right) < rules.min_count || hl < rules.min_hessian ||
        hr < rules.min_hessian)
      return kRefused;
    const double vl = leaf_value(gl, hl, rules.l1, rules.l2, node.bounds);
    const double vr = leaf_value(gr, hr, rules.l1, rules.l2, node.bounds);
    if ((direction > 0 && vl > vr) || (direction < 0 && vl < vr)) return kRefused;
    return side(gl, hl, rules, vl) + side(gr, hr, rules, vr);
  }
};

const simd::PackedEntry& plain(const Entry& entry) {
  static_assert(sizeof(simd::PackedEntry) == sizeof(Entry));
  return reinterpret_cast<const simd::PackedEntry&>(entry);
}

Entry sum_of(std::span<const Entry> codes, int end, Entry start) {
  for (int i = 0; i < end; ++i) {
    start.g += codes[static_cast<std::size_t>(i)].g;
    start.hn += codes[static_cast<std::size_t>(i)].hn;
  }
  return start;
}

struct Scan {
  std::span<const Entry> codes;
  const NodeSums& node;
  const FixedPoint& fixed;
  const SplitRules& rules;

  Entry right_of(const Entry& left) const { return {node.sum.g - left.g, node.sum.hn - left.hn}; }

  simd::BestCut best_cut(index_t feature, int first, int end, Entry start, double least) const {
    if (rules.monotonic.empty()) {
      return simd::split().best_cut(&plain(*codes.data()), first, end, plain(start), plain(node.sum),
                                    cut_rules(fixed, rules), least);
    }
    const Constrained constrained{node, fixed, rules, rules.monotonic[static_cast<std::size_t>(feature)]};
    simd::BestCut best{-1, least};
    Entry left = sum_of(codes, first, start);
    for (int i = first; i < end; ++i) {
      left = {left.g + codes[static_cast<std::size_t>(i)].g, left.hn + codes[static_cast<std::size_t>(i)].hn};
      if (const double gain = constrained.gain(left, right_of(left)); gain > best.gain) best = {i, gain};
    }
    return best;
  }

  // Offers the cuts after codes `first` .. end - 1; missing values, if they go left, are in `start`.
  void offer(index_t feature, int first, int end, Entry start, bool missing_left, Split& best) const {
    const simd::BestCut cut = best_cut(feature, first, end, start, best.gain);
    if (cut.at < 0) return;
    const Entry left = sum_of(codes, cut.at + 1, start);
    best = {feature, cut.at, missing_left, cut.gain, left, right_of(left), {}};
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
  const Scan scan{codes, node, fixed, rules};
  const double whole = gain_of_whole(node, fixed, rules);
  Split best;
  best.gain = whole;  // a cut must beat not cutting
  const int all = n_bins - 1 + (has_missing ? 1 : 0);  // the last one sets the missing values apart
  const Cuts cuts = one_cut == nullptr ? Cuts{0, all} : draw_cut(codes, n_bins, fixed, *one_cut);
  scan.offer(feature, cuts.first, std::min(cuts.end, all), {}, false, best);
  if (has_missing)
    scan.offer(feature, cuts.first, std::min(cuts.end, n_bins - 1), codes[static_cast<std::size_t>(n_bins)], true, best);
  best.gain -= whole;
  if (!is_worth_it(best.gain, whole)) best.feature = -1;
  return best;
}

}  // namespace mlwright::tree
