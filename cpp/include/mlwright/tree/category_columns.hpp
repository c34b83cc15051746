// From the columns that trees are grown on back to the features that users know.
//
// A categorical feature is grown on as one or two columns of codes, several categories a code where there are many. A
// node of a grown tree then names its feature, and the set of categories that go left, as words of 32 bits: category c
// is bit c % 32 of word c / 32. Equal sets of one column are stored once. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "mlwright/tree/grower.hpp"

namespace mlwright::tree {

// Sets of categories one after another: set s is words[offsets[s]] .. words[offsets[s + 1] - 1].
struct CategorySets {
  std::vector<std::uint32_t> words;
  std::vector<std::int64_t> offsets{0};
};

class CategoryColumns {
 public:
  // Column j shows feature features[j]. code_of[j]: the code of each of its categories; empty for numbers.
  CategoryColumns() = default;
  CategoryColumns(std::vector<std::int32_t> features, std::vector<std::vector<std::uint8_t>> code_of);

  bool empty() const noexcept { return features_.empty(); }
  index_t n_columns() const noexcept { return static_cast<index_t>(features_.size()); }
  // Nodes of one tree from columns to features; rules.categorical says which columns are cut by sets of codes.
  void translate(std::vector<Node>& nodes, const TreeRules& rules);
  // The sets that nodes have been given since the last call: Node::set counts from its first.
  CategorySets take_sets();

 private:
  std::int32_t set_of(std::size_t column, const CodeSet& codes);

  std::vector<std::int32_t> features_;
  std::vector<std::vector<std::uint8_t>> code_of_;
  std::map<std::pair<std::size_t, CodeSet>, std::int32_t> known_;
  CategorySets sets_;
};

}  // namespace mlwright::tree
