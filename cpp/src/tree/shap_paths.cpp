#include "tree/shap_paths.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "mlwright/base/error.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kLongest = index_t{1} << 27;  // conditions of one tree

struct Visit {
  std::int32_t node;
  std::int32_t parent;  // test
  bool is_left;
};

void refuse_long_trees(const ForestArrays& forest, index_t tree) {
  const auto begin = static_cast<std::size_t>(forest.offsets[static_cast<std::size_t>(tree)]);
  const auto end = static_cast<std::size_t>(forest.offsets[static_cast<std::size_t>(tree) + 1]);
  std::vector<index_t> depth(end - begin, 0);
  index_t total = 0;
  for (std::size_t i = 0; i < depth.size(); ++i) {
    if (forest.feature[begin + i] < 0) {
      total += depth[i];
      if (total > kLongest)
        throw InvalidArgument("SHAP values: the branches of tree " + std::to_string(tree) + " are more than " +
                              std::to_string(kLongest) + " nodes long together; expected a tree that is less deep");
      continue;
    }
    for (const std::int32_t child : {forest.left[begin + i], forest.right[begin + i]})
      depth[static_cast<std::size_t>(child)] = depth[i] + 1;
  }
}

class Builder {
 public:
  Builder(const ForestArrays& forest, std::span<const double> cover, index_t tree, TreePaths& out)
      : forest_(forest), cover_(cover), begin_(static_cast<std::size_t>(forest.offsets[static_cast<std::size_t>(tree)])),
        out_(out) {}

  void build(int n_values, double divide_by) {
    std::vector<Visit> stack{{0, -1, false}};
    while (!stack.empty()) {
      const Visit visit = stack.back();
      stack.pop_back();
      const std::size_t source = begin_ + static_cast<std::size_t>(visit.node);
      if (forest_.feature[source] < 0) {
        add_leaf(visit);
        for (int k = 0; k < n_values; ++k)
          out_.values.push_back(forest_.value[source * static_cast<std::size_t>(n_values) + static_cast<std::size_t>(k)] / divide_by);
        continue;
      }
      const auto test = static_cast<std::int32_t>(out_.tests.size());
      add_test(source, visit);
      stack.push_back({forest_.right[source], test, false});
      stack.push_back({forest_.left[source], test, true});
    }
    for (std::size_t t = out_.tests.size(); t-- > 1;)
      out_.tests[static_cast<std::size_t>(out_.tests[t].parent)].n_below += out_.tests[t].n_below;
  }

 private:
  double share_left(std::size_t source) const {
    const double left = cover_[begin_ + static_cast<std::size_t>(forest_.left[source])];
    const double right = cover_[begin_ + static_cast<std::size_t>(forest_.right[source])];
    const double total = left + right;
    return total > 0 && std::isfinite(total) ? left / total : 0.5;
  }

  void add_test(std::size_t source, const Visit& visit) {
    PathTest test;
    test.threshold = forest_.threshold[source];
    test.feature = forest_.feature[source];
    test.rule = forest_.rule_of(source);
    test.missing_left = forest_.missing_left[source] != 0;
    if (test.rule == Rule::categorical) {
      const auto set = static_cast<std::size_t>(forest_.category_set[source]);
      test.set_begin = static_cast<std::uint32_t>(forest_.set_offsets[set]);
      test.set_words = static_cast<std::uint32_t>(forest_.set_offsets[set + 1] - forest_.set_offsets[set]);
    }
    test.parent = visit.parent;
    test.is_left = visit.is_left;
    test.share_left = share_left(source);
    collect_path(visit);
    test.depth = static_cast<std::int32_t>(path_.size());
    test.n_above = static_cast<std::int32_t>(features_.size());
    out_.tests.push_back(test);
  }

  // Fills path_ (root first) and features_ (in the order of the path).
  void collect_path(const Visit& visit) {
    path_.clear();
    features_.clear();
    bool left = visit.is_left;
    for (std::int32_t t = visit.parent; t >= 0; t = out_.tests[static_cast<std::size_t>(t)].parent) {
      path_.push_back({static_cast<std::uint32_t>(t), left});
      left = out_.tests[static_cast<std::size_t>(t)].is_left;
    }
    std::reverse(path_.begin(), path_.end());
    for (const Condition& c : path_)
      if (const std::int32_t feature = out_.tests[c.test].feature; std::ranges::find(features_, feature) == features_.end())
        features_.push_back(feature);
  }

  void add_leaf(const Visit& visit) {
    collect_path(visit);
    PathLeaf leaf{static_cast<std::uint32_t>(out_.literals.size()), static_cast<std::uint32_t>(features_.size()),
                  visit.parent, 1.0};
    for (const std::int32_t feature : features_) {
      Literal literal{feature, 1.0, static_cast<std::uint32_t>(out_.conditions.size()), 0};
      for (const Condition& c : path_) {
        const PathTest& test = out_.tests[c.test];
        if (test.feature != feature) continue;
        literal.share *= c.left ? test.share_left : 1.0 - test.share_left;
        out_.conditions.push_back(c);
        ++literal.count;
      }
      leaf.weight *= literal.share;
      out_.literals.push_back(literal);
    }
    out_.leaves.push_back(leaf);
  }

  const ForestArrays& forest_;
  std::span<const double> cover_;
  std::size_t begin_;
  TreePaths& out_;
  std::vector<Condition> path_;
  std::vector<std::int32_t> features_;
};

}  // namespace

TreePaths paths_of(const ForestArrays& forest, std::span<const double> cover, index_t tree, int n_outputs, double divide_by) {
  refuse_long_trees(forest, tree);
  TreePaths paths;
  const bool vector_leaves = forest.leaf_size > 1 || n_outputs == 1;
  paths.n_outputs = vector_leaves ? n_outputs : 1;
  paths.first_output = vector_leaves ? 0 : static_cast<int>(tree % n_outputs);
  Builder(forest, cover, tree, paths).build(paths.n_outputs, divide_by);
  return paths;
}

}  // namespace mlwright::tree
