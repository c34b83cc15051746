// One regression tree on binned features, grown leaf by leaf, the most useful cut first.
//
// Each open leaf has its best cut, and mostly a histogram. A cut partitions the leaf's rows (stably), builds the histogram of
// the smaller child and subtracts it from the parent's for the larger; small nodes need none. Leaf values are refitted from the gradients
// themselves (not from their integers), in sums that know no order: neither the structure nor the values depend on
// threads or SIMD level. Not thread-safe: one Grower a fit. Cost: O(rows x features x depth) in histograms.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "mlwright/tree/histogram.hpp"
#include "mlwright/tree/histogram_pool.hpp"
#include "mlwright/tree/row_sample.hpp"
#include "mlwright/tree/small_nodes.hpp"
#include "mlwright/tree/split.hpp"
#include "mlwright/tree/split_search.hpp"

namespace mlwright::tree {

struct TreeRules {
  index_t max_leaves = 31;  // 0: no limit
  int max_depth = 0;        // 0: no limit
  std::int64_t min_samples_leaf = 20;
  double l1 = 0, l2 = 0;
  double min_hessian = 1e-3;
  double learning_rate = 0.1;
  double max_features = 1.0;  // share of the allowed features that each node looks at
  double tree_features = 1.0;  // share of all features that each tree may use
  bool extra_trees = false;  // one cut a node and feature, drawn at random
  SamplingRules sampling;
  std::uint64_t seed = 0;
  std::vector<std::int8_t> monotonic;                    // empty, or one of -1, 0, 1 a feature
  std::vector<std::uint8_t> categorical;                 // empty, or whether a feature's codes are categories
  std::vector<std::vector<std::int32_t>> interaction;  // empty, or groups of features that may meet in a branch

  bool is_categorical(index_t feature) const { return !categorical.empty() && categorical[static_cast<std::size_t>(feature)]; }
};

struct Node {
  double threshold = 0;  // x <= threshold goes left; +infinity sends everything but NaN left
  double value = 0;      // of a leaf, shrunk
  double gain = 0;
  std::int64_t count = 0;  // of repetitions, if weights are integers
  std::int32_t feature = -1;  // -1: a leaf
  std::int32_t left = -1, right = -1;  // after their parent
  std::int32_t set = -1;  // of a categorical feature, once translated (category_columns.hpp): which set goes left
  bool missing_left = false;
  CodeSet left_codes;  // of a categorical feature: the codes that go left, in place of threshold
};

// What a tree is fitted to. weight is empty if g and h have it inside already.
struct Gradients {
  static constexpr index_t kStrip = 512;  // rows whose numbers stay in the first-level cache
  struct Strip {
    const double* g;
    const double* h;  // null: ones
  };
  // Of rows [begin, end), at most kStrip: kept somewhere, or computed into `memory`, which has room for 2 * kStrip. Called
  // from several threads at once.
  std::function<Strip(index_t begin, index_t end, double* memory)> strip;
  bool constant_hessian = false;   // no strip has an h
  std::span<const double> weight;  // empty: ones
  RowEntries rows;
  Entry total;  // of all rows
  FixedPoint fixed;
};

// A tree that was grown before, and the leaf that each row falls into. Children come after their parents.
struct GivenTree {
  std::span<const std::int32_t> feature, left, right;
  std::span<const double> value;
  std::span<const std::int32_t> leaf_of_row;
};

class Grower {
 public:
  Grower(const BinnedMatrix& bins, const TreeRules& rules);

  // The nodes of one tree. `stream` tells this tree's random draws from other trees'. sample: the rows that it is grown
  // on, and that its counts and values are of; null for all. Rows outside it fall into leaves too.
  std::vector<Node> grow(const Gradients& gradients, const RowSample* sample, std::uint64_t stream,
                         runtime::CancelToken& token);

  // Gives the leaves of the last tree, and of `nodes`, its copy, the learning rate times best(rows of the leaf), within
  // monotonic constraints. The rows are those of the sample and those outside it: a sample by gradients says nothing of
  // where most residuals lie. best is called from several threads at once.
  using BestOfRows = std::function<double(std::span<const std::uint32_t> in, std::span<const std::uint32_t> out)>;
  void renew_leaves(std::vector<Node>& nodes, const BestOfRows& best, runtime::CancelToken& token);
  // In place of grow(): a tree that was grown before, its leaves given the values that these gradients make them. In
  // refit.cpp, as blend().
  std::vector<Node> refit(const GivenTree& tree, const Gradients& gradients, runtime::CancelToken& token);
  // Sets the leaves' values to decay times the old plus 1 - decay times the present ones, and returns all nodes' values. A
  // leaf without rows keeps its old value; under monotonic constraints it too moves, towards the one nearest 0 that they
  // allow.
  std::vector<double> blend(std::span<const double> old, double decay);

  // Adds the last tree's values to raw.
  void add_to(std::span<double> raw, runtime::CancelToken& token) const;

 private:
  struct Open {  // a leaf that may be cut
    std::int32_t node = 0;
    index_t begin = 0, end = 0;
    index_t out_begin = 0, out_end = 0;  // rows outside the sample
    int depth = 0;
    NodeSums sums;
    Split best;
    std::vector<std::int32_t> groups;  // interaction groups still possible

    index_t n_rows() const noexcept { return end - begin; }
  };
  struct MoreUseful {  // of equals the older leaf
    bool operator()(const Open& a, const Open& b) const noexcept {
      return a.best.gain != b.best.gain ? a.best.gain > b.best.gain : a.node < b.node;
    }
  };
  struct Leaf {
    std::int32_t node;
    index_t begin, end, out_begin, out_end;
    Bounds bounds;
  };

  Entry sum_of_sample(const Gradients& gradients, runtime::CancelToken& token) const;
  Open root(const Gradients& gradients, const RowSample* sample, runtime::CancelToken& token);
  void cut(Open parent, const Gradients& gradients, std::uint64_t stream, runtime::CancelToken& token);
  void take_rows(const RowSample* sample, runtime::CancelToken& token);
  index_t divide(index_t begin, index_t end, const Split& split, runtime::CancelToken& token);
  const std::uint8_t* codes_of(index_t feature);
  void draw_tree_features(std::uint64_t stream);
  void mark_leaves(runtime::CancelToken& token);
  void make_children(Open& parent, Open& left, Open& right, const Gradients& gradients);
  void search_children(const Open& parent, Open& left, Open& right, const Gradients& gradients, std::uint64_t stream,
                       runtime::CancelToken& token);
  void search(Open& built, Open* rest, const Gradients& gradients, std::uint64_t stream, runtime::CancelToken& token);
  void search_small(const std::vector<Open*>& nodes, const Gradients& gradients, std::uint64_t stream,
                    runtime::CancelToken& token);
  SplitSearch::OfFeature cut_of_feature(const Open& open, const SplitRules& rules, const FixedPoint& fixed,
                                        std::uint64_t stream) const;
  std::span<const std::uint32_t> rows_of(const Open& open) const;
  index_t features_at_once(index_t n_nodes) const;
  void open_or_close(Open open);
  void close(const Open& open);
  std::size_t cuts_left() const noexcept;
  bool may_be_cut(const Open& open, const FixedPoint& fixed) const;
  std::vector<index_t> features_for(const Open& open, std::uint64_t stream) const;
  SplitRules split_rules(const FixedPoint& fixed) const;
  struct LeafSums {
    double g = 0, h = 0;
  };
  std::vector<LeafSums> leaf_sums(const Gradients& gradients, runtime::CancelToken& token);
  void set_leaf_values(const Gradients& gradients, runtime::CancelToken& token);
  void take_leaves(const GivenTree& tree);
  std::vector<Bounds> bounds_of(const std::vector<LeafSums>& sums) const;

  const BinnedMatrix& bins_;
  const TreeRules& rules_;
  HistogramLayout layout_;
  HistogramBuilder histograms_;
  SplitSearch search_;
  SmallNodes small_;
  std::vector<std::uint8_t> column_;  // of sparse bins, the one that a cut is on
  Buffer<std::uint32_t> rows_;  // the sample's, then the others; each part by leaves
  Buffer<std::uint32_t> scratch_;  // of partitions; once a tree is grown, leaf_of_row
  index_t n_in_ = 0;
  std::vector<index_t> tree_features_;
  std::vector<Node> nodes_;
  std::set<Open, MoreUseful> open_;
  std::vector<Leaf> leaves_;  // that will not be cut
  HistogramPool kept_;
};

}  // namespace mlwright::tree
