// Trees as what Shapley values read: for every leaf, the features on its path, what each of them must satisfy, and which
// share of the training rows does.
//
// A feature that is asked about several times on one path is one literal: it is present in a row if all its conditions
// hold, and its share z is the product of its nodes' shares. Nodes that ask are numbered in the order of a walk, left
// first (a "test"); leaves too, so that the leaves below a test are neighbours.
// Cost: O(sum of the leaves' depths). Thread-safe; pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/tree/forest.hpp"

namespace mlwright::tree {

struct PathTest {
  double threshold = 0;
  std::int32_t feature = 0;
  Rule rule = Rule::numeric;
  bool missing_left = false;
  std::uint32_t set_begin = 0, set_words = 0;  // in ForestArrays::set_words

  std::int32_t parent = -1;   // test above
  bool is_left = false;       // of the test above
  std::int32_t depth = 0;     // tests above
  std::int32_t n_above = 0;   // different features above
  std::int32_t n_below = 1;   // tests below and itself
  double share_left = 0.5;
};

struct Condition {
  std::uint32_t test;
  bool left;
};

struct Literal {
  std::int32_t feature;
  double share;
  std::uint32_t first, count;  // conditions
};

struct PathLeaf {
  std::uint32_t first, count;  // literals, in the order of the path
  std::int32_t parent;         // the test above; -1 in a tree of one leaf
  double weight;               // product of the shares
};

struct TreePaths {
  std::vector<PathTest> tests;
  std::vector<Condition> conditions;
  std::vector<Literal> literals;
  std::vector<PathLeaf> leaves;
  std::vector<double> values;  // n_outputs a leaf
  int n_outputs = 1;
  int first_output = 0;        // the tree adds to outputs first_output .. + n_outputs - 1

  std::span<const Literal> literals_of(const PathLeaf& leaf) const { return {literals.data() + leaf.first, leaf.count}; }
  std::span<const Condition> conditions_of(const Literal& literal) const {
    return {conditions.data() + literal.first, literal.count};
  }
};

// Throws InvalidArgument for trees whose leaves' depths sum to more than memory could hold.
TreePaths paths_of(const ForestArrays& forest, std::span<const double> cover, index_t tree, int n_outputs, double divide_by);

}  // namespace mlwright::tree
