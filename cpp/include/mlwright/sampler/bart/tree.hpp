// One tree of BART: rules on codes, and leaves known by slots.
//
// Codes   numbers have codes 0 .. n_cuts, and kMissing where they are missing; categories 0 .. n_codes - 1, missing ones with
//         a code of their own.
// Rules   of numbers: left if (code + shift) mod 256 <= bound. shift 0 sends missing values right, shift 1 left; bound kValues
//         sends all but missing ones left. Of categories: left if the code's bit is set.
// Slots   leaves are numbered 0 .. n_leaves() - 1, one byte an observation. A grown leaf keeps its slot for its left child, the
//         right one gets the next; of two pruned leaves the left one's slot stays, and the last slot takes the place of the
//         other.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "mlwright/base/view.hpp"

namespace mlwright::sampler::bart {

inline constexpr int kMissing = 255, kValues = 254, kMostLeaves = 255;

struct Rule {
  std::int32_t variable = -1;
  std::uint8_t shift = 0, bound = 0;
  bool is_set = false;
  std::array<std::uint64_t, 4> codes{};

  bool goes_left(std::uint8_t code) const noexcept {
    if (is_set) return (codes[code >> 6] >> (code & 63) & 1) != 0;
    return static_cast<std::uint8_t>(code + shift) <= bound;
  }
};

class Tree {
 public:
  struct Node {
    int parent = -1, left = -1, right = -1, depth = 0;
    int slot = 0;  // of a leaf
    Rule rule;     // of the others
    bool is_leaf() const noexcept { return left < 0; }
  };

  Tree() : nodes_(1), leaf_of_slot_{0} {}

  int n_leaves() const noexcept { return static_cast<int>(leaf_of_slot_.size()); }
  const Node& operator[](int node) const noexcept { return nodes_[static_cast<std::size_t>(node)]; }
  int leaf(int slot) const noexcept { return leaf_of_slot_[static_cast<std::size_t>(slot)]; }
  bool is_leaf_parent(int node) const noexcept;

  // The nodes whose children are both leaves, in order of their left child's slot.
  int n_leaf_parents() const noexcept;
  int leaf_parent(int k) const noexcept;

  // Parents before children, left before right.
  template <class Visit>
  void each_inner_node(Visit visit, int node = 0) const {
    if ((*this)[node].is_leaf()) return;
    visit(node);
    each_inner_node(visit, (*this)[node].left);
    each_inner_node(visit, (*this)[node].right);
  }

  void grow(int leaf, const Rule& rule);
  void prune(int leaf_parent) noexcept;
  void change(int node, const Rule& rule) noexcept { nodes_[static_cast<std::size_t>(node)].rule = rule; }

 private:
  Node& at(int node) noexcept { return nodes_[static_cast<std::size_t>(node)]; }
  int new_node();

  std::vector<Node> nodes_;
  std::vector<int> free_;
  std::vector<int> leaf_of_slot_;
};

}  // namespace mlwright::sampler::bart
