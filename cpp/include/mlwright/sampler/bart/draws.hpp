// Drawn trees as flat arrays: eleven bytes a node, in the order parent, left subtree, right subtree.
//
//   variable  -1 of a leaf
//   kind      shift of a rule of numbers (0, 1), or kSetRule
//   bound     of a rule of numbers
//   right     nodes from a node to its right child; the left one is the next node
//   value     of a leaf: integer, in units of the residuals; of a rule of categories: its place in `sets`, of 32 bytes each
//   ends      one past the last node of each tree, all trees of a draw after another
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/sampler/bart/tree.hpp"

namespace mlwright::sampler::bart {

inline constexpr std::uint8_t kSetRule = 2;
inline constexpr std::size_t kSetWords = 4;

struct Draws {
  std::vector<std::int32_t> variable, value;
  std::vector<std::uint16_t> right;
  std::vector<std::uint8_t> kind, bound;
  std::vector<std::uint64_t> sets;
  std::vector<index_t> ends;

  void add(const Tree& tree, std::span<const std::int32_t> values);

 private:
  void add_node(const Tree& tree, int node, std::span<const std::int32_t> values);
};

}  // namespace mlwright::sampler::bart
