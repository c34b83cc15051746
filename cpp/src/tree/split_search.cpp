#include "mlwright/tree/split_search.hpp"

#include "mlwright/tree/sparse_histogram.hpp"
#include "tree/cut_rules.hpp"

namespace mlwright::tree {
namespace {

constexpr int kBatch = 256;

// The only cuts of up to kBatch features, by the sums on their left.
class Cuts {
 public:
  Cuts(const NodeSums& node, const FixedPoint& fixed, const SplitRules& rules)
      : node_(node), fixed_(fixed), rules_(rules),
        whole_(gain_of_whole(node, fixed, rules)) {}

  bool full() const noexcept { return n_ == kBatch; }

  void add(index_t feature, const Entry& left) {
    feature_[n_] = feature;
    g_[n_] = left.g;
    hn_[n_++] = left.hn;
  }

  void offer_to(Split& best) {
    if (n_ == 0) return;
    alignas(64) double gain[kBatch];
    simd::split().gains(g_, hn_, n_, {node_.sum.g, node_.sum.hn}, cut_rules(fixed_, rules_), gain);
    int at = -1;
    double most = best.gain;
    for (int i = 0; i < n_; ++i)
      if (const double more = gain[i] - whole_; more > most) {
        most = more;
        at = i;
      }
    if (at >= 0 && is_worth_it(most, whole_)) {
      const Entry left{g_[at], hn_[at]};
      best = Split{};
      best.feature = feature_[at];
      best.gain = most;
      best.left = left;
      best.right = {node_.sum.g - left.g, node_.sum.hn - left.hn};
    }
    n_ = 0;
  }

 private:
  const NodeSums& node_;
  const FixedPoint& fixed_;
  const SplitRules& rules_;
  double whole_;
  int n_ = 0;
  index_t feature_[kBatch];
  std::int64_t g_[kBatch] = {};
  std::uint64_t hn_[kBatch] = {};
};

}  // namespace

SplitSearch::SplitSearch(const BinnedMatrix& bins, const HistogramLayout& layout, std::span<const std::uint8_t> one_at_a_time)
    : bins_(bins), layout_(layout) {
  for (index_t j = 0; j < bins.n_features(); ++j)
    kind_.push_back(kind_of(j, !one_at_a_time.empty() && one_at_a_time[static_cast<std::size_t>(j)] != 0));
}

SplitSearch::Kind SplitSearch::kind_of(index_t feature, bool one_at_a_time) const {
  if (bins_.n_codes(feature) < 2) return Kind::nothing;
  if (bins_.n_codes(feature) > 2 || bins_.has_missing(feature) || one_at_a_time) return Kind::other;
  return bins_.sparse() != nullptr && bins_.sparse()->default_code(feature) == 0 ? Kind::right_code : Kind::left_code;
}

Split SplitSearch::best(std::span<const index_t> features, std::span<const Entry> histogram, const NodeSums& node,
                        const FixedPoint& fixed, const SplitRules& rules, const OfFeature& of_feature) const {
  Split best;
  Cuts cuts(node, fixed, rules);
  for (const index_t j : features) {
    Kind kind = kind_[static_cast<std::size_t>(j)];
    if (kind == Kind::nothing) continue;
    if (kind == Kind::other || !rules.monotonic.empty()) {
      cuts.offer_to(best);
      const Split split = other(j, histogram, node, of_feature);
      if (split.found() && split.gain > best.gain) best = split;
      continue;
    }
    const Entry& sum = histogram[layout_.begin(j)];
    cuts.add(j, kind == Kind::left_code ? sum : Entry{node.sum.g - sum.g, node.sum.hn - sum.hn});
    if (cuts.full()) cuts.offer_to(best);
  }
  cuts.offer_to(best);
  return best;
}

Split SplitSearch::other(index_t feature, std::span<const Entry> histogram, const NodeSums& node,
                         const OfFeature& of_feature) const {
  const auto n_codes = static_cast<std::size_t>(bins_.n_codes(feature));
  if (bins_.sparse() == nullptr)
    return of_feature(histogram.subspan(layout_.begin(feature), n_codes), bins_.n_bins(feature), feature);
  Entry codes[256];
  complete_codes(*bins_.sparse(), histogram, feature, node.sum, std::span(codes, n_codes));
  return of_feature(std::span<const Entry>(codes, n_codes), bins_.n_bins(feature), feature);
}

}  // namespace mlwright::tree
