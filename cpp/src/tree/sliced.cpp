#include "tree/sliced.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

namespace mlwright::tree {
namespace {

constexpr std::size_t kMostThresholds = 254;  // a feature: one code is left for missing values
constexpr index_t kMostLeaves = 255;
constexpr std::size_t kReadAhead = 32;        // kernels load whole vectors beyond the last table

// Nanoseconds a row, measured with AVX-512 on one core; only their proportions matter, and a choice changes no bit.
constexpr double kCode = 0.8, kNode = 0.013, kTree = 0.15, kMember = 1.0, kStep = 1.3;

// The largest float that is at most t.
float round_down(double t) {
  constexpr float kLargest = std::numeric_limits<float>::max(), kInfinity = std::numeric_limits<float>::infinity();
  if (std::isinf(t)) return t > 0 ? kInfinity : -kInfinity;
  if (t >= kLargest) return kLargest;
  if (t < -kLargest) return -kInfinity;
  const auto f = static_cast<float>(t);
  return static_cast<double>(f) > t ? std::nextafter(f, -kInfinity) : f;
}

struct TreeView {
  const ForestArrays* forest;
  std::size_t begin;
  index_t n;

  TreeView(const ForestArrays& f, index_t tree)
      : forest(&f), begin(static_cast<std::size_t>(f.offsets[static_cast<std::size_t>(tree)])),
        n(f.offsets[static_cast<std::size_t>(tree) + 1] - static_cast<index_t>(begin)) {}

  template <class Visit>  // visit(node within the tree, node within the forest)
  void each_split(Visit visit) const {
    for (index_t i = 0; i < n; ++i) {
      const std::size_t s = begin + static_cast<std::size_t>(i);
      if (forest->feature[s] >= 0) visit(static_cast<std::size_t>(i), s);
    }
  }
  index_t n_leaves() const { return (n + 1) / 2; }
  int depth() const {
    std::vector<int> depth(static_cast<std::size_t>(n), 0);
    int deepest = 0;
    each_split([&](std::size_t i, std::size_t s) {
      depth[static_cast<std::size_t>(forest->left[s])] = depth[static_cast<std::size_t>(forest->right[s])] = depth[i] + 1;
      deepest = std::max(deepest, depth[i] + 1);
    });
    return deepest;
  }
};

// Distinct thresholds of every feature, ascending.
using Cuts = std::unordered_map<std::int32_t, std::vector<double>>;

// Adds the tree's thresholds unless a feature would have too many.
bool add_cuts(const TreeView& tree, Cuts& cuts) {
  std::vector<std::pair<std::int32_t, double>> added;
  bool fits = true;
  tree.each_split([&](std::size_t, std::size_t s) {
    if (!fits || tree.forest->rule_of(s) == Rule::categorical) return;
    const std::int32_t feature = tree.forest->feature[s];
    const double t = tree.forest->threshold[s];
    std::vector<double>& of = cuts[feature];
    const auto at = std::lower_bound(of.begin(), of.end(), t);
    if (at != of.end() && *at == t) return;
    fits = of.size() < kMostThresholds;
    if (!fits) return;
    of.insert(at, t);
    added.emplace_back(feature, t);
  });
  if (fits) return true;
  for (const auto& [feature, t] : added) {
    std::vector<double>& of = cuts[feature];
    of.erase(std::lower_bound(of.begin(), of.end(), t));
  }
  return false;
}

}  // namespace

// Builds the runs of a forest one after another.
class RunBuilder {
 public:
  RunBuilder(const ForestArrays& forest, Sliced& out) : forest_(forest), out_(out) {}

  void build() {
    index_t first = 0;
    for (index_t t = 0; t < forest_.n_trees(); ++t) {
      const TreeView tree(forest_, t);
      const bool small = tree.n_leaves() <= kMostLeaves;
      if (small && t == first) cuts_.clear();
      const bool joins = small && sliced_ == small && add_cuts(tree, cuts_);
      if (t > first && (small != sliced_ || (small && !joins))) {
        finish(first, t);
        first = t;
        cuts_.clear();
      }
      if (t == first) {
        sliced_ = small;
        if (small && !joins) add_cuts(tree, cuts_);
      }
    }
    if (forest_.n_trees() > first) finish(first, forest_.n_trees());
  }

 private:
  void finish(index_t first, index_t last) {
    const auto [sliced, walked] = costs(first, last);
    out_.walked_cost_ += walked;
    out_.sliced_cost_ += sliced_ && sliced < walked ? sliced : walked;
    if (sliced_ && sliced < walked) {
      slice(first, last, walked);
    } else if (!out_.runs_.empty() && out_.runs_.back().trees.empty()) {
      out_.runs_.back().last = last;
      out_.runs_.back().walked_cost += walked;
    } else {
      out_.runs_.push_back({first, last, {}, {}, {}, {}, 0, walked});
    }
  }

  // Of a row: by slices, by walking.
  std::pair<double, double> costs(index_t first, index_t last) const {
    double sliced = 0, walked = 0;
    for (const auto& [feature, cuts] : cuts_) sliced += cuts.empty() ? 0 : kCode;
    for (index_t t = first; t < last; ++t) {
      const TreeView tree(forest_, t);
      sliced += kTree;
      tree.each_split([&](std::size_t, std::size_t s) {
        sliced += forest_.rule_of(s) == Rule::categorical ? kMember + kNode : kNode;
      });
      walked += kTree + kStep * tree.depth();
    }
    return {sliced, walked};
  }

  void slice(index_t first, index_t last, double walked) {
    run_ = {first, last, {}, {}, {}, {}, 0, walked};
    column_of_.clear();
    category_of_.clear();
    search_of_.clear();
    for (index_t t = first; t < last; ++t) make_columns(TreeView(forest_, t));
    for (SlicedRun::Column& column : run_.columns) {
      const auto right = column_of_.find({column.feature, column.zero_as_missing, 0});
      if (column.missing_left && right != column_of_.end()) column.base = static_cast<std::int32_t>(right->second);
    }
    for (index_t t = first; t < last; ++t) slice_tree(TreeView(forest_, t));
    out_.runs_.push_back(std::move(run_));
  }

  using Key = std::array<std::int32_t, 3>;  // feature, whether zero is missing, whether what is missing goes left
  Key key_of(std::size_t s) const {
    return {forest_.feature[s], forest_.rule_of(s) == Rule::zero_as_missing, forest_.missing_left[s] != 0};
  }

  void make_columns(const TreeView& tree) {
    tree.each_split([&](std::size_t, std::size_t s) {
      if (forest_.rule_of(s) == Rule::categorical) {
        if (category_of_.try_emplace(forest_.feature[s], category_of_.size()).second)
          run_.categories.push_back(forest_.feature[s]);
        return;
      }
      const Key key = key_of(s);
      if (!column_of_.try_emplace(key, run_.columns.size()).second) return;
      const auto [search, levels] = search_tree(key[0]);
      run_.columns.push_back({key[0], -1, search, levels, key[1] != 0, key[2] != 0});
    });
  }

  // Levels of a complete search tree, root first, padded with +infinity.
  std::pair<std::uint32_t, std::uint8_t> search_tree(std::int32_t feature) {
    const std::vector<double>& cuts = cuts_.at(feature);
    std::uint8_t levels = 1;
    while ((std::size_t{1} << levels) <= cuts.size()) ++levels;
    const auto [found, is_new] = search_of_.try_emplace(feature, static_cast<std::uint32_t>(out_.search64_.size()));
    if (!is_new) return {found->second, levels};
    out_.search64_.resize(found->second + (std::size_t{1} << levels), std::numeric_limits<double>::infinity());
    for (int level = 0; level < levels; ++level)
      for (std::size_t i = 0; i < std::size_t{1} << level; ++i) {
        const std::size_t rank = ((2 * i + 1) << (levels - 1 - level)) - 1;
        if (rank < cuts.size()) out_.search64_[found->second + (std::size_t{1} << level) + i] = cuts[rank];
      }
    return {found->second, levels};
  }

  void slice_tree(const TreeView& view) {
    const auto leaf_size = static_cast<std::size_t>(forest_.leaf_size);
    SlicedRun::Tree tree{};
    tree.node = static_cast<std::uint32_t>(out_.nodes_.size());
    tree.value = out_.values64_.size();
    tree.member = static_cast<std::uint32_t>(run_.members.size());
    tree.n_leaves = static_cast<std::uint16_t>(view.n_leaves());
    tree.n_nodes = static_cast<std::uint16_t>(view.n - view.n_leaves());
    std::vector<std::uint8_t> slot(static_cast<std::size_t>(view.n), 0);
    std::uint8_t taken = 0;
    view.each_split([&](std::size_t i, std::size_t s) {
      out_.nodes_.push_back(node_of(s, slot[i], tree));
      slot[static_cast<std::size_t>(forest_.left[s])] = slot[i];
      slot[static_cast<std::size_t>(forest_.right[s])] = ++taken;
    });
    out_.values64_.resize(tree.value + tree.n_leaves * leaf_size);
    for (std::size_t i = 0; i < slot.size(); ++i) {
      const std::size_t s = view.begin + i;
      if (forest_.feature[s] >= 0) continue;
      for (std::size_t k = 0; k < leaf_size; ++k)
        out_.values64_[tree.value + k * tree.n_leaves + slot[i]] = forest_.value[s * leaf_size + k];
    }
    run_.most_members = std::max<std::uint32_t>(run_.most_members, tree.n_members);
    run_.trees.push_back(tree);
  }

  simd::SlotNode node_of(std::size_t s, std::uint8_t slot, SlicedRun::Tree& tree) {
    if (forest_.rule_of(s) == Rule::categorical) {
      run_.members.push_back(member_of(s));
      return {static_cast<std::uint32_t>(run_.columns.size()) + tree.n_members++, slot, 0};
    }
    const std::vector<double>& cuts = cuts_.at(forest_.feature[s]);
    const auto rank = std::lower_bound(cuts.begin(), cuts.end(), forest_.threshold[s]) - cuts.begin();
    return {static_cast<std::uint32_t>(column_of_.at(key_of(s))), slot, static_cast<std::int8_t>(rank - 128)};
  }

  SlicedRun::Member member_of(std::size_t s) {
    const auto set = static_cast<std::size_t>(forest_.category_set[s]);
    const auto words = forest_.set_words.subspan(static_cast<std::size_t>(forest_.set_offsets[set]),
                                                 static_cast<std::size_t>(forest_.set_offsets[set + 1] - forest_.set_offsets[set]));
    const bool missing_left = forest_.missing_left[s] != 0;
    const auto [place, is_new] = word_of_.try_emplace({set, missing_left}, static_cast<std::uint32_t>(out_.words_.size()));
    if (is_new) {
      out_.words_.insert(out_.words_.end(), words.begin(), words.end());
      out_.words_.push_back(0);
      out_.words_.push_back(missing_left ? ~0U : 0U);
    }
    return {static_cast<std::uint32_t>(category_of_.at(forest_.feature[s])), place->second, static_cast<std::uint32_t>(words.size())};
  }

  const ForestArrays& forest_;
  Sliced& out_;
  Cuts cuts_;
  bool sliced_ = true;
  SlicedRun run_{};
  std::map<Key, std::size_t> column_of_;
  std::map<std::int32_t, std::size_t> category_of_;
  std::map<std::int32_t, std::uint32_t> search_of_;
  std::map<std::pair<std::size_t, bool>, std::uint32_t> word_of_;
};

Sliced::Sliced(const ForestArrays& forest) {
  RunBuilder(forest, *this).build();
  search64_.resize(search64_.size() + kReadAhead, std::numeric_limits<double>::infinity());
  values64_.resize(values64_.size() + kReadAhead, 0.0);
  search32_.reserve(search64_.size());
  for (const double t : search64_) search32_.push_back(round_down(t));
  values32_.reserve(values64_.size());
  for (const double v : values64_) values32_.push_back(static_cast<float>(v));
}

template <class T>
std::vector<T> Sliced::thresholds(const SlicedRun::Column& column) const {
  const T* tree = search<T>(column);
  std::vector<T> sorted((std::size_t{1} << column.levels) - 1);
  for (int level = 0; level < column.levels; ++level)
    for (std::size_t i = 0; i < std::size_t{1} << level; ++i)
      sorted[((2 * i + 1) << (column.levels - 1 - level)) - 1] = tree[(std::size_t{1} << level) + i];
  while (!sorted.empty() && sorted.back() == std::numeric_limits<T>::infinity()) sorted.pop_back();
  return sorted;
}

template std::vector<double> Sliced::thresholds(const SlicedRun::Column&) const;
template std::vector<float> Sliced::thresholds(const SlicedRun::Column&) const;

}  // namespace mlwright::tree
