#include "mlwright/tree/grower.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>

#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/rng.hpp"
#include "mlwright/tree/categorical.hpp"
#include "mlwright/tree/partition.hpp"
#include "mlwright/tree/streams.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kRowGrain = 16384;
// Of split search, in codes and, where each feature has but one cut, in features:
constexpr index_t kCodesWorthAThread = 12288, kCodesAtOnce = 2048, kFeaturesAtOnce = 1024;
constexpr index_t kRowsAtOnce = 16384;  // of small nodes, a row once a feature

// ceil(share * n) of n things, at least one if there is one, ascending.
std::vector<index_t> draw_share(runtime::Rng rng, double share, index_t n) {
  std::vector<index_t> chosen(std::min(static_cast<std::size_t>(n),
                                       static_cast<std::size_t>(std::max(1.0, std::ceil(share * static_cast<double>(n))))));
  runtime::sample_without_replacement(rng, n, chosen);
  std::ranges::sort(chosen);
  return chosen;
}

// Features whose codes without rows matter to their best cut: those of categories, of cuts at random, and where values missing
// may be the left side of a rising or falling cut: that cut is below all codes that have rows.
std::vector<std::uint8_t> looked_at_whole(const BinnedMatrix& bins, const TreeRules& rules) {
  std::vector<std::uint8_t> whole;
  for (index_t j = 0; j < bins.n_features(); ++j) {
    const bool constrained = !rules.monotonic.empty() && rules.monotonic[static_cast<std::size_t>(j)] != 0;
    whole.push_back(rules.extra_trees || rules.is_categorical(j) || (constrained && bins.has_missing(j)));
  }
  return whole;
}

std::uint64_t stream_of(Draws purpose, std::uint64_t tree) {
  return runtime::stream_id(static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(tree));
}

}  // namespace

Grower::Grower(const BinnedMatrix& bins, const TreeRules& rules)
    : bins_(bins), rules_(rules), layout_(bins), histograms_(bins, layout_), search_(bins_, layout_, rules.categorical),
      small_(bins_, layout_, looked_at_whole(bins, rules)),
      rows_(static_cast<std::size_t>(bins.n_rows())),
      scratch_(static_cast<std::size_t>(bins.n_rows())), kept_(layout_.size()) {}

std::span<const std::uint32_t> Grower::rows_of(const Open& open) const {
  return std::span(rows_).subspan(static_cast<std::size_t>(open.begin), static_cast<std::size_t>(open.n_rows()));
}

SplitRules Grower::split_rules(const FixedPoint& fixed) const {
  // In the scale of the tree no sum of gradients reaches 2^30: a larger penalty says no more.
  const double l1 = std::min(std::ldexp(rules_.l1, -fixed.g_exponent), 0x1p40);
  return {l1, rules_.l2, rules_.min_hessian, rules_.min_samples_leaf, rules_.monotonic};
}

void Grower::take_rows(const RowSample* sample, runtime::CancelToken& token) {
  n_in_ = sample == nullptr ? bins_.n_rows() : sample->n_in;
  runtime::parallel_for(bins_.n_rows(), kRowGrain, token, [&](index_t, index_t begin, index_t end) {
    if (sample == nullptr) std::iota(rows_.begin() + begin, rows_.begin() + end, static_cast<std::uint32_t>(begin));
    else std::copy(sample->rows.begin() + begin, sample->rows.begin() + end, rows_.begin() + begin);
  });
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
  take_rows(sample, token);
  draw_tree_features(stream);
  nodes_.clear();
  open_.clear();
  leaves_.clear();
  kept_.drop_all();
  Open first = root(gradients, sample, token);
  if (may_be_cut(first, gradients.fixed)) {
    if (small_.take(first.n_rows())) search_small({&first}, gradients, stream, token);
    else search(first, nullptr, gradients, stream, token);
  }
  open_or_close(std::move(first));
  while (!open_.empty()) {
    token.poll();
    cut(std::move(open_.extract(open_.begin()).value()), gradients, stream, token);
  }
  set_leaf_values(gradients, token);
  return nodes_;
}

Entry Grower::sum_of_sample(const Gradients& gradients, runtime::CancelToken& token) const {
  std::vector<Entry> partial(static_cast<std::size_t>(runtime::n_chunks(n_in_, kRowGrain)));
  const auto add = [](Entry& sum, const Entry& entry) {
    sum.g += entry.g;
    sum.hn += entry.hn;
  };
  runtime::parallel_for(n_in_, kRowGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    Entry sum;
    for (index_t i = begin; i < end; ++i) add(sum, gradients.rows[rows_[static_cast<std::size_t>(i)]]);
    partial[static_cast<std::size_t>(chunk)] = sum;
  });
  Entry all;
  for (const Entry& sum : partial) add(all, sum);
  return all;
}

Grower::Open Grower::root(const Gradients& gradients, const RowSample* sample, runtime::CancelToken& token) {
  Open open;
  open.end = open.out_begin = n_in_;
  open.out_end = bins_.n_rows();
  open.sums.sum = sample == nullptr ? gradients.total : sum_of_sample(gradients, token);
  for (std::size_t group = 0; group < rules_.interaction.size(); ++group)
    open.groups.push_back(static_cast<std::int32_t>(group));
  nodes_.push_back({});
  nodes_[0].count = gradients.fixed.count(open.sums.sum);
  return open;
}

void Grower::open_or_close(Open open) {
  if (open.best.found()) open_.insert(std::move(open));
  else close(open);
}

void Grower::close(const Open& open) {
  kept_.drop(open.node);
  leaves_.push_back({open.node, open.begin, open.end, open.out_begin, open.out_end, open.sums.bounds});
}

std::size_t Grower::cuts_left() const noexcept {
  if (rules_.max_leaves == 0) return std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(rules_.max_leaves) - std::min(static_cast<std::size_t>(rules_.max_leaves), open_.size() + leaves_.size());
}

void Grower::cut(Open parent, const Gradients& gradients, std::uint64_t stream, runtime::CancelToken& token) {
  Open left, right;
  left.begin = parent.begin;
  left.end = right.begin = parent.begin + divide(parent.begin, parent.end, parent.best, token);
  right.end = parent.end;
  left.out_begin = parent.out_begin;
  left.out_end = right.out_begin = parent.out_begin + divide(parent.out_begin, parent.out_end, parent.best, token);
  right.out_end = parent.out_end;
  make_children(parent, left, right, gradients);
  const bool is_last = cuts_left() <= 2;  // of the leaves that there were, one is out, and two come
  if (is_last) kept_.drop(parent.node);
  else search_children(parent, left, right, gradients, stream, token);
  open_or_close(std::move(left));
  open_or_close(std::move(right));
  // Each cut to come takes one leaf from above these, and so they never come to the top.
  while (open_.size() > cuts_left()) close(open_.extract(std::prev(open_.end())).value());
  kept_.trim();
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

// Best cuts of both children, and histograms: from one pass over the smaller one's rows where the parent has one. Where the
// larger child is small, so are all below it: no histogram is needed any more.
void Grower::search_children(const Open& parent, Open& left, Open& right, const Gradients& gradients, std::uint64_t stream,
                             runtime::CancelToken& token) {
  const bool left_is_smaller = left.n_rows() <= right.n_rows();
  Open& smaller = left_is_smaller ? left : right;
  Open& larger = left_is_smaller ? right : left;
  if (small_.take(larger.n_rows())) {
    kept_.drop(parent.node);
    search_small({&left, &right}, gradients, stream, token);
    return;
  }
  const bool cut_larger = may_be_cut(larger, gradients.fixed), cut_smaller = may_be_cut(smaller, gradients.fixed);
  const bool shares = !kept_.of(parent.node).empty();
  kept_.hand_over(parent.node, larger.node, larger.n_rows());
  if (shares && (cut_larger || cut_smaller)) {
    search(smaller, cut_larger ? &larger : nullptr, gradients, stream, token);
  } else {
    if (cut_larger) search(larger, nullptr, gradients, stream, token);
    if (small_.take(smaller.n_rows())) search_small({&smaller}, gradients, stream, token);
    else if (cut_smaller) search(smaller, nullptr, gradients, stream, token);
  }
  if (small_.take(smaller.n_rows())) kept_.drop(smaller.node);
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

// The best cut of one feature of a node, by the sums of its codes.
SplitSearch::OfFeature Grower::cut_of_feature(const Open& open, const SplitRules& rules, const FixedPoint& fixed,
                                              std::uint64_t stream) const {
  return [&, stream](std::span<const Entry> codes, int n_bins, index_t j) {
    std::optional<runtime::Rng> one_cut;
    if (rules_.extra_trees)
      one_cut.emplace(rules_.seed, stream_of(Draws::cut_of_feature, stream),
                      static_cast<std::uint64_t>(open.node) << 32 | static_cast<std::uint64_t>(j));
    const auto best_split = rules_.is_categorical(j) ? best_split_of_categories : best_split_of_feature;
    return best_split(codes, j, n_bins, open.sums, fixed, rules, one_cut ? &*one_cut : nullptr);
  };
}

// How many features a thread takes at a time, in a search of some nodes: all where that is not worth a second thread.
index_t Grower::features_at_once(index_t n_nodes) const {
  const index_t n = std::max<index_t>(1, bins_.n_features());
  const index_t codes = static_cast<index_t>(layout_.size()) * n_nodes;
  const index_t chunks = codes < kCodesWorthAThread ? 1 : codes / kCodesAtOnce;
  return std::clamp<index_t>(n / std::max<index_t>(1, chunks), 1, chunks > 1 ? kFeaturesAtOnce : n);
}

// The histogram of one node and the best cuts of it and of the rest of its parent (null: not wanted), whose histogram is the
// parent's when this begins. A feature's sums go through all of it while they are in the cache.
void Grower::search(Open& built, Open* rest, const Gradients& gradients, std::uint64_t stream, runtime::CancelToken& token) {
  struct Searched {
    Open* open;
    std::vector<index_t> features;
    std::vector<Split> best;
  };
  std::vector<Searched> nodes;
  for (Open* open : {&built, rest})
    if (open != nullptr && may_be_cut(*open, gradients.fixed)) nodes.push_back({open, features_for(*open, stream), {}});
  const index_t grain = features_at_once(static_cast<index_t>(nodes.size()));
  for (Searched& node : nodes) node.best.resize(static_cast<std::size_t>(runtime::n_chunks(bins_.n_features(), grain)));
  const std::span<Entry> histogram = kept_.take(built.node, built.n_rows());
  const std::span<Entry> of_rest = rest == nullptr ? std::span<Entry>() : kept_.of(rest->node);
  const SplitRules rules = split_rules(gradients.fixed);
  const auto then = [&](index_t chunk, index_t first, index_t last) {
    const std::size_t begin = layout_.begin(first), size = layout_.begin(last) - begin;
    if (rest != nullptr) subtract_histogram(of_rest.subspan(begin, size), histogram.subspan(begin, size));
    for (Searched& node : nodes) {
      const auto from = std::ranges::lower_bound(node.features, first), to = std::ranges::lower_bound(node.features, last);
      node.best[static_cast<std::size_t>(chunk)] =
          search_.best({from, to}, node.open == &built ? histogram : of_rest, node.open->sums, gradients.fixed, rules,
                       cut_of_feature(*node.open, rules, gradients.fixed, stream));
    }
  };
  histograms_.build(rows_of(built), gradients.rows, histogram, grain, then, token);
  for (Searched& node : nodes)
    for (const Split& split : node.best)
      if (split.found() && split.gain > node.open->best.gain) node.open->best = split;
}

// The best cuts of small nodes.
void Grower::search_small(const std::vector<Open*>& nodes, const Gradients& gradients, std::uint64_t stream,
                          runtime::CancelToken& token) {
  struct Part {  // some features of one node
    Open* open;
    std::span<const index_t> features;
    Split best;
  };
  std::vector<std::vector<index_t>> features;
  std::vector<Part> parts;
  for (Open* open : nodes) {
    if (!may_be_cut(*open, gradients.fixed)) continue;
    features.push_back(features_for(*open, stream));
    const std::span<const index_t> all(features.back());
    const auto at_once = static_cast<std::size_t>(std::max<index_t>(1, kRowsAtOnce / std::max<index_t>(1, open->n_rows())));
    for (std::size_t begin = 0; begin < all.size(); begin += at_once)
      parts.push_back({open, all.subspan(begin, std::min(at_once, all.size() - begin)), {}});
  }
  const SplitRules rules = split_rules(gradients.fixed);
  runtime::parallel_for(static_cast<index_t>(parts.size()), 1, token, [&](index_t p, index_t, index_t) {
    Part& part = parts[static_cast<std::size_t>(p)];
    part.best = small_.best(part.features, rows_of(*part.open), gradients.rows,
                            cut_of_feature(*part.open, rules, gradients.fixed, stream));
  });
  for (const Part& part : parts)
    if (part.best.found() && part.best.gain > part.open->best.gain) part.open->best = part.best;
}

}  // namespace mlwright::tree
