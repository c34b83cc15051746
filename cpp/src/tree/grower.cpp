#include "mlwright/tree/grower.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "mlwright/runtime/rng.hpp"
#include "mlwright/tree/categorical.hpp"
#include "mlwright/tree/exact_sum.hpp"
#include "mlwright/tree/partition.hpp"
#include "mlwright/tree/streams.hpp"
#include "simd/boosting.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kPieceRows = 8192;
constexpr index_t kRowGrain = 16384;
constexpr index_t kCodesWorthAThread = 16384;  // about 40 microseconds of split search
constexpr index_t kFeaturesWorthAThread = 4096;  // the same for features of one cut

// The most useful cut on top; equals: the older leaf.
template <class Open>
bool less_useful(const Open& a, const Open& b) {
  return a.best.gain != b.best.gain ? a.best.gain < b.best.gain : a.node > b.node;
}

// ceil(share * n) of n things, at least one if there is one, ascending.
std::vector<index_t> draw_share(runtime::Rng rng, double share, index_t n) {
  std::vector<index_t> chosen(std::min(static_cast<std::size_t>(n),
                                       static_cast<std::size_t>(std::max(1.0, std::ceil(share * static_cast<double>(n))))));
  runtime::sample_without_replacement(rng, n, chosen);
  std::ranges::sort(chosen);
  return chosen;
}

std::uint64_t stream_of(Draws purpose, std::uint64_t tree) {
  return runtime::stream_id(static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(tree));
}

}  // namespace

Grower::Grower(const BinnedMatrix& bins, const TreeRules& rules)
    : bins_(bins), rules_(rules), layout_(bins), histograms_(bins, layout_), search_(bins_, layout_, rules.categorical),
      rows_(static_cast<std::size_t>(bins.n_rows())),
      scratch_(static_cast<std::size_t>(bins.n_rows())) {}

std::vector<Entry> Grower::take_histogram() {
  if (spare_.empty()) return std::vector<Entry>(layout_.size());
  std::vector<Entry> histogram = std::move(spare_.back());
  spare_.pop_back();
  return histogram;
}

void Grower::give_back(std::vector<Entry>& histogram) {
  if (!histogram.empty()) spare_.push_back(std::move(histogram));
  histogram.clear();
}

SplitRules Grower::split_rules(const FixedPoint& fixed) const {
  // In the scale of the tree no sum of gradients reaches 2^30: a larger penalty says no more.
  const double l1 = std::min(std::ldexp(rules_.l1, -fixed.g_exponent), 0x1p40);
  return {l1, rules_.l2, rules_.min_hessian, rules_.min_samples_leaf, rules_.monotonic};
}

void Grower::take_rows(const RowSample* sample) {
  n_in_ = sample == nullptr ? bins_.n_rows() : sample->n_in;
  if (sample == nullptr) std::iota(rows_.begin(), rows_.end(), 0U);
  else std::ranges::copy(sample->rows, rows_.begin());
}

void Grower::draw_tree_features(std::uint64_t stream) {
  tree_features_.resize(static_cast<std::size_t>(bins_.n_features()));
  std::iota(tree_features_.begin(), tree_features_.end(), index_t{0});
  if (rules_.tree_features < 1.0)
    tree_features_ = draw_share(runtime::Rng(rules_.seed, stream_of(Draws::features_of_tree, stream)),
                                rules_.tree_features, bins_.n_features());
}

bool Grower::may_be_cut(const Open& open, const FixedPoint& fixed) const {
  return (rules_.max_depth == 0 || open.depth < rules_.max_depth) &&
         fixed.count(open.sums.sum) / 2 >= rules_.min_samples_leaf && bins_.n_features() > 0;
}

std::vector<Node> Grower::grow(const Gradients& gradients, const RowSample* sample, std::uint64_t stream,
                               runtime::CancelToken& token) {
  take_rows(sample);
  draw_tree_features(stream);
  nodes_.clear();
  leaves_.clear();
  std::vector<Open> heap;
  Open first = root(gradients, token);
  if (may_be_cut(first, gradients.fixed)) {
    first.histogram = take_histogram();
    histograms_.build(std::span(rows_).first(static_cast<std::size_t>(n_in_)), gradients.rows, first.histogram, token);
    find_best(first, gradients.fixed, stream, token);
  }
  push_or_close(std::move(first), heap);
  while (!heap.empty()) {
    token.poll();
    std::pop_heap(heap.begin(), heap.end(), less_useful<Open>);
    Open best = std::move(heap.back());
    heap.pop_back();
    cut(std::move(best), gradients, stream, heap, token);
  }
  set_leaf_values(gradients, token);
  return nodes_;
}

Grower::Open Grower::root(const Gradients& gradients, runtime::CancelToken& token) {
  Open open;
  open.end = open.out_begin = n_in_;
  open.out_end = bins_.n_rows();
  std::vector<Entry> partial(static_cast<std::size_t>(runtime::n_chunks(open.end, kPieceRows)));
  runtime::parallel_for(open.end, kPieceRows, token, [&](index_t chunk, index_t begin, index_t end) {
    Entry sum;
    for (index_t i = begin; i < end; ++i) {
      const Entry entry = gradients.rows[rows_[static_cast<std::size_t>(i)]];
      sum.g += entry.g;
      sum.hn += entry.hn;
    }
    partial[static_cast<std::size_t>(chunk)] = sum;
  });
  for (const Entry& e : partial) {
    open.sums.sum.g += e.g;
    open.sums.sum.hn += e.hn;
  }
  for (std::size_t group = 0; group < rules_.interaction.size(); ++group)
    open.groups.push_back(static_cast<std::int32_t>(group));
  nodes_.push_back({});
  nodes_[0].count = gradients.fixed.count(open.sums.sum);
  return open;
}

void Grower::push_or_close(Open open, std::vector<Open>& heap) {
  if (open.best.found()) {
    heap.push_back(std::move(open));
    std::push_heap(heap.begin(), heap.end(), less_useful<Open>);
    return;
  }
  give_back(open.histogram);
  leaves_.push_back({open.node, open.begin, open.end, open.out_begin, open.out_end, open.sums.bounds});
}

void Grower::cut(Open parent, const Gradients& gradients, std::uint64_t stream, std::vector<Open>& heap,
                 runtime::CancelToken& token) {
  Open left, right;
  left.begin = parent.begin;
  left.end = right.begin = parent.begin + divide(parent.begin, parent.end, parent.best, token);
  right.end = parent.end;
  left.out_begin = parent.out_begin;
  left.out_end = right.out_begin = parent.out_begin + divide(parent.out_begin, parent.out_end, parent.best, token);
  right.out_end = parent.out_end;
  make_children(parent, left, right, gradients);
  const auto n_leaves = static_cast<index_t>(leaves_.size() + heap.size()) + 2;
  if (rules_.max_leaves > 0 && n_leaves >= rules_.max_leaves) {
    give_back(parent.histogram);
    push_or_close(std::move(left), heap);
    push_or_close(std::move(right), heap);
    for (Open& open : heap) open.best = Split{};
    std::vector<Open> rest;
    rest.swap(heap);
    for (Open& open : rest) push_or_close(std::move(open), heap);
    return;
  }
  open_children(parent, left, right, gradients, stream, heap, token);
}

const std::uint8_t* Grower::codes_of(index_t feature) {
  if (bins_.sparse() == nullptr) return bins_.column(feature);
  column_.resize(static_cast<std::size_t>(bins_.n_rows()));
  bins_.sparse()->spread(feature, column_);
  return column_.data();
}

// Moves those of some rows that go left to the front; how many they are.
index_t Grower::divide(index_t begin, index_t end, const Split& split, runtime::CancelToken& token) {
  if (begin == end) return 0;
  const auto at = static_cast<std::size_t>(begin), size = static_cast<std::size_t>(end - begin);
  const int n_bins = bins_.n_bins(split.feature);
  return partition_rows(std::span(rows_).subspan(at, size), std::span(scratch_).subspan(at, size),
                        codes_of(split.feature),
                        {static_cast<std::uint8_t>(split.bin), static_cast<std::uint8_t>(n_bins),
                         bins_.has_missing(split.feature), split.missing_left,
                         rules_.is_categorical(split.feature) ? &split.left_codes : nullptr},
                        token);
}

void Grower::make_children(Open& parent, Open& left, Open& right, const Gradients& gradients) {
  const Split& split = parent.best;
  const FixedPoint& fixed = gradients.fixed;
  const auto cuts = bins_.thresholds().of(split.feature);
  const auto bin = static_cast<std::size_t>(split.bin);
  left.node = static_cast<std::int32_t>(nodes_.size());
  right.node = left.node + 1;
  Node& node = nodes_[static_cast<std::size_t>(parent.node)];
  node.feature = static_cast<std::int32_t>(split.feature);
  if (rules_.is_categorical(split.feature)) node.left_codes = split.left_codes;
  else node.threshold = bin < cuts.size() ? cuts[bin] : std::numeric_limits<double>::infinity();
  node.gain = fixed.unscaled_gain(split.gain);
  node.left = left.node;
  node.right = right.node;
  // Missing values that training never saw follow the majority.
  node.missing_left =
      bins_.has_missing(split.feature) ? split.missing_left : fixed.count(split.left) > fixed.count(split.right);
  left.sums = {split.left, parent.sums.bounds};
  right.sums = {split.right, parent.sums.bounds};
  left.depth = right.depth = parent.depth + 1;
  if (!rules_.monotonic.empty() && rules_.monotonic[static_cast<std::size_t>(split.feature)] != 0) {
    const double l1 = split_rules(fixed).l1;
    const double middle = (leaf_value(fixed.g(split.left), fixed.h(split.left), l1, rules_.l2, parent.sums.bounds) +
                           leaf_value(fixed.g(split.right), fixed.h(split.right), l1, rules_.l2, parent.sums.bounds)) / 2;
    const bool rising = rules_.monotonic[static_cast<std::size_t>(split.feature)] > 0;
    (rising ? left : right).sums.bounds.high = middle;
    (rising ? right : left).sums.bounds.low = middle;
  }
  for (const std::int32_t group : parent.groups) {
    const auto& members = rules_.interaction[static_cast<std::size_t>(group)];
    if (std::ranges::find(members, static_cast<std::int32_t>(split.feature)) != members.end()) left.groups.push_back(group);
  }
  right.groups = left.groups;
  nodes_.push_back({});
  nodes_.back().count = fixed.count(split.left);
  nodes_.push_back({});
  nodes_.back().count = fixed.count(split.right);
}

// Histograms and best cuts of both children, from one pass over the smaller one's rows.
void Grower::open_children(Open& parent, Open& left, Open& right, const Gradients& gradients, std::uint64_t stream,
                           std::vector<Open>& heap, runtime::CancelToken& token) {
  const bool left_is_smaller = left.end - left.begin <= right.end - right.begin;
  Open& smaller = left_is_smaller ? left : right;
  Open& larger = left_is_smaller ? right : left;
  const bool cut_larger = may_be_cut(larger, gradients.fixed), cut_smaller = may_be_cut(smaller, gradients.fixed);
  if (cut_larger || cut_smaller) {
    smaller.histogram = take_histogram();
    histograms_.build(std::span(rows_).subspan(static_cast<std::size_t>(smaller.begin),
                                               static_cast<std::size_t>(smaller.end - smaller.begin)),
                      gradients.rows, smaller.histogram, token);
    if (cut_smaller) find_best(smaller, gradients.fixed, stream, token);
  }
  if (cut_larger) {
    larger.histogram = std::move(parent.histogram);
    subtract_histogram(larger.histogram, smaller.histogram);
    find_best(larger, gradients.fixed, stream, token);
  } else {
    give_back(parent.histogram);
  }
  push_or_close(std::move(left), heap);
  push_or_close(std::move(right), heap);
}

std::vector<index_t> Grower::features_for(const Open& open, std::uint64_t stream) const {
  if (rules_.interaction.empty() && rules_.max_features >= 1.0) return tree_features_;
  std::vector<index_t> features;
  std::vector<std::uint8_t> allowed(static_cast<std::size_t>(bins_.n_features()), rules_.interaction.empty());
  for (const std::int32_t group : open.groups)
    for (const std::int32_t feature : rules_.interaction[static_cast<std::size_t>(group)])
      allowed[static_cast<std::size_t>(feature)] = 1;
  for (const index_t j : tree_features_)
    if (allowed[static_cast<std::size_t>(j)]) features.push_back(j);
  if (rules_.max_features >= 1.0 || features.empty()) return features;
  // Keyed by (seed, tree, node): no state from one node to the next, so no order of calls to keep.
  const runtime::Rng rng(rules_.seed, stream_of(Draws::features_of_node, stream), static_cast<std::uint64_t>(open.node));
  std::vector<index_t> chosen = draw_share(rng, rules_.max_features, static_cast<index_t>(features.size()));
  for (index_t& j : chosen) j = features[static_cast<std::size_t>(j)];
  return chosen;
}

void Grower::find_best(Open& open, const FixedPoint& fixed, std::uint64_t stream, runtime::CancelToken& token) {
  const std::vector<index_t> features = features_for(open, stream);
  const SplitRules rules = split_rules(fixed);
  const auto n = static_cast<index_t>(features.size());
  const auto codes_each = static_cast<index_t>(layout_.size()) / std::max<index_t>(1, bins_.n_features());
  const index_t grain = std::clamp<index_t>(kCodesWorthAThread / std::max<index_t>(1, codes_each), 1, kFeaturesWorthAThread);
  std::vector<Split> best(static_cast<std::size_t>(runtime::n_chunks(n, grain)));
  const auto of_feature = [&](std::span<const Entry> codes, index_t j) {
    std::optional<runtime::Rng> one_cut;
    if (rules_.extra_trees)
      one_cut.emplace(rules_.seed, stream_of(Draws::cut_of_feature, stream),
                      static_cast<std::uint64_t>(open.node) << 32 | static_cast<std::uint64_t>(j));
    const auto best_split = rules_.is_categorical(j) ? best_split_of_categories : best_split_of_feature;
    return best_split(codes, j, bins_.n_bins(j), open.sums, fixed, rules, one_cut ? &*one_cut : nullptr);
  };
  runtime::parallel_for(n, grain, token, [&](index_t chunk, index_t begin, index_t end) {
    best[static_cast<std::size_t>(chunk)] =
        search_.best(std::span(features).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)),
                     open.histogram, open.sums, fixed, rules, of_feature);
  });
  for (const Split& split : best)
    if (split.found() && split.gain > open.best.gain) open.best = split;
}

void Grower::find_pieces() {
  std::ranges::sort(leaves_, {}, &Leaf::begin);
  pieces_.clear();
  const auto cover = [&](std::size_t leaf, index_t begin, index_t end) {
    for (; begin < end; begin += kPieceRows) pieces_.push_back({leaf, begin, std::min(begin + kPieceRows, end)});
  };
  for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf) cover(leaf, leaves_[leaf].begin, leaves_[leaf].end);
  for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf) cover(leaf, leaves_[leaf].out_begin, leaves_[leaf].out_end);
}

// Writes each row's leaf to scratch_; rows outside the sample have their leaf's number plus that of all leaves. What comes
// after growth then reads rows in order.
void Grower::mark_leaves(runtime::CancelToken& token) {
  find_pieces();
  for_pieces(token, [&](std::size_t p) {
    const Piece& piece = pieces_[p];
    const auto leaf = static_cast<std::uint32_t>(piece.leaf + (piece.begin < n_in_ ? 0 : leaves_.size()));
    for (index_t i = piece.begin; i < piece.end; ++i) scratch_[rows_[static_cast<std::size_t>(i)]] = leaf;
  });
}

// Of the gradients themselves, not of their integers, and in no order: the same bits for repetitions as for repeated rows.
std::vector<Grower::LeafSums> Grower::leaf_sums(const Gradients& gradients, runtime::CancelToken& token) {
  mark_leaves(token);
  const FixedPoint& fixed = gradients.fixed;
  const ExactScale g_scale(std::ldexp(0.5, fixed.g_exponent), fixed.count_bits);
  const ExactScale h_scale(std::ldexp(0.5, fixed.h_exponent), fixed.count_bits);
  const simd::LeafScales scales{g_scale.first(), h_scale.first(), g_scale.second()};
  const auto fresh = [&] { return std::vector<simd::LeafTotals>(2 * leaves_.size()); };  // outside the sample: not read
  runtime::PerWorker<std::vector<simd::LeafTotals>> totals(fresh);
  runtime::parallel_for(bins_.n_rows(), kRowGrain, token, [&](index_t, index_t begin, index_t end) {
    std::vector<simd::LeafTotals>& mine = totals.local();
    double memory[2 * Gradients::kStrip];
    for (index_t i = begin; i < end; i += Gradients::kStrip) {
      const index_t next = std::min(i + Gradients::kStrip, end);
      const auto [g, h] = gradients.strip(i, next, memory);
      simd::boosting().sum_by_leaf(g, h, gradients.weight.empty() ? nullptr : gradients.weight.data() + i,
                                   scratch_.data() + i, next - i, scales, mine.data());
    }
  });
  std::vector<LeafSums> result;
  for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
    ExactSum g, h;
    totals.for_each([&](const std::vector<simd::LeafTotals>& of_worker) {
      g.add({of_worker[leaf].g_high, of_worker[leaf].g_low});
      h.add({of_worker[leaf].h_high, of_worker[leaf].h_low});
    });
    result.push_back({g_scale.value(g), gradients.constant_hessian ? static_cast<double>(h.high) : h_scale.value(h)});
  }
  return result;
}

void Grower::set_leaf_values(const Gradients& gradients, runtime::CancelToken& token) {
  const std::vector<LeafSums> of_leaf = leaf_sums(gradients, token);
  const FixedPoint& fixed = gradients.fixed;
  for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
    const Bounds& scaled = leaves_[leaf].bounds;
    const Bounds bounds{fixed.unscaled_value(scaled.low), fixed.unscaled_value(scaled.high)};
    nodes_[static_cast<std::size_t>(leaves_[leaf].node)].value =
        rules_.learning_rate * leaf_value(of_leaf[leaf].g, of_leaf[leaf].h, rules_.l1, rules_.l2, bounds);
  }
}

void Grower::add_to(std::span<double> raw, runtime::CancelToken& token) const {
  std::vector<double> values;
  for (int copy = 0; copy < 2; ++copy)  // of rows in the sample, and outside it
    for (const Leaf& leaf : leaves_) values.push_back(nodes_[static_cast<std::size_t>(leaf.node)].value);
  runtime::parallel_for(bins_.n_rows(), kRowGrain, token, [&](index_t, index_t begin, index_t end) {
    simd::boosting().add_by_leaf(values.data(), scratch_.data() + begin, end - begin, raw.data() + begin);
  });
}

// Pieces lie in row order and cover all rows: a chunk of rows does the pieces that begin in it.
template <class Body>
void Grower::for_pieces(runtime::CancelToken& token, Body body) const {
  runtime::parallel_for(bins_.n_rows(), 4 * kPieceRows, token, [&](index_t, index_t begin, index_t end) {
    const auto first = std::ranges::lower_bound(pieces_, begin, {}, &Piece::begin) - pieces_.begin();
    for (auto p = static_cast<std::size_t>(first); p < pieces_.size() && pieces_[p].begin < end; ++p) body(p);
  });
}

}  // namespace mlwright::tree
