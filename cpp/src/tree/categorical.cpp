#include "mlwright/tree/categorical.hpp"

#include <algorithm>
#include <array>

namespace mlwright::tree {
namespace {

struct Ranked {
  double evidence;
  int code;
};

using Ranking = std::array<Ranked, 256>;

// The Hessian of kEvidenceRows rows of the node.
double smoothing_of(const NodeSums& node, const FixedPoint& fixed) {
  return kEvidenceRows * fixed.h(node.sum) / static_cast<double>(fixed.count(node.sum));
}

std::span<const Ranked> rank(std::span<const Entry> codes, int n_bins, const NodeSums& node, const FixedPoint& fixed,
                             double smoothing, Ranking& ranking) {
  const double mean = fixed.g(node.sum) / fixed.h(node.sum);
  for (int code = 0; code < n_bins; ++code) {
    const Entry& e = codes[static_cast<std::size_t>(code)];
    const double h_code = fixed.h(e);
    const double evidence =
        fixed.count(e) < kEvidenceRows ? 0.0 : (fixed.g(e) - mean * h_code) / (h_code + smoothing);
    ranking[static_cast<std::size_t>(code)] = {evidence, code};
  }
  const std::span<Ranked> used(ranking.data(), static_cast<std::size_t>(n_bins));
  std::ranges::sort(used, [](const Ranked& a, const Ranked& b) {
    return a.evidence != b.evidence ? a.evidence < b.evidence : a.code < b.code;
  });
  return used;
}

}  // namespace

Split best_split_of_categories(std::span<const Entry> codes, index_t feature, int n_bins, const NodeSums& node,
                               const FixedPoint& fixed, const SplitRules& rules, runtime::Rng* one_cut) {
  if (!(fixed.h(node.sum) > 0)) return {};
  SplitRules penalised = rules;
  const double smoothing = smoothing_of(node, fixed);
  penalised.l2 += smoothing;
  Ranking ranking;
  const std::span<const Ranked> ranked = rank(codes, n_bins, node, fixed, smoothing, ranking);
  std::array<Entry, 256> ordered;  // sums of each run of equal evidence; then those of missing values
  std::array<int, 256> end;        // of each run in `ranked`
  int n_runs = 0;
  for (int i = 0; i < n_bins; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const bool fresh = i == 0 || ranked[at].evidence != ranked[at - 1].evidence;
    if (fresh) ordered[static_cast<std::size_t>(n_runs++)] = {};
    const auto run = static_cast<std::size_t>(n_runs - 1);
    const Entry& e = codes[static_cast<std::size_t>(ranked[at].code)];
    ordered[run] = {ordered[run].g + e.g, ordered[run].hn + e.hn};
    end[run] = i + 1;
  }
  const bool has_missing = codes.size() > static_cast<std::size_t>(n_bins);
  if (has_missing) ordered[static_cast<std::size_t>(n_runs)] = codes[static_cast<std::size_t>(n_bins)];
  const std::span<const Entry> sums(ordered.data(), static_cast<std::size_t>(n_runs + (has_missing ? 1 : 0)));
  Split split = best_split_of_feature(sums, feature, n_runs, node, fixed, penalised, one_cut);
  if (!split.found()) return split;
  for (int i = 0; i < end[static_cast<std::size_t>(split.bin)]; ++i)
    split.left_codes.insert(ranked[static_cast<std::size_t>(i)].code);
  return split;
}

}  // namespace mlwright::tree
