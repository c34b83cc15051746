// How the leaves of a tree are worked off: groups of leaves with a table each, and where their sums go.
//
// What a leaf adds to the Shapley values of a row depends on one bit a feature of its path. The leaves below one test
// share the bits of the path to it and differ by the tests below it: if these bits are few (kGroupBits), one table over
// all their patterns holds the sums of all those leaves, and a row costs one look-up for the whole group. Leaves of longer
// paths than that are computed row by row.
//
// A target is what is summed: a feature, or a pair of features. The targets of a tree are numbered in the order of the
// walk ("slots"), so that those of one group are neighbours; tables hold blocks of eight slots.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tree/shap_paths.hpp"

namespace mlwright::tree {

enum class ShapTarget { feature, pair };

inline constexpr std::uint32_t kShapBlock = 8;  // slots
// Of the groups that are worked off together, unless one alone needs more: their tables stay in a second-level cache.
inline constexpr std::size_t kShapTableLimit = std::size_t{1} << 16;  // doubles of tables
inline constexpr std::uint32_t kShapGroupLimit = 512;

struct LeafGroup {
  std::uint32_t first_leaf = 0, n_leaves = 0;
  int n_bits = 0;  // 0 with is_long: no table
  bool is_long = false;
  std::uint32_t first_bit = 0;     // in ShapPlan::bits
  std::uint32_t first_offset = 0, n_blocks = 0;  // in ShapPlan::offsets: blocks of one entry

  std::size_t table_size() const noexcept {
    return is_long ? 0 : (std::size_t{1} << n_bits) * n_blocks * kShapBlock;
  }
};

// One bit of a group's pattern: all of its conditions hold.
struct PatternBit {
  std::uint32_t first, count;  // in ShapPlan::bit_conditions
};

// A literal holds in a pattern that has all of `ones` and none of `zeros`.
struct LiteralBits {
  std::uint32_t ones = 0, zeros = 0;
};

// Some groups of a tree, few enough for their tables to be in memory together.
struct Segment {
  std::uint32_t first_group, n_groups;
  std::vector<std::uint32_t> tests;   // those that the groups ask for
  std::vector<std::uint32_t> blocks;  // of slots that the groups add to
  std::size_t table_size = 0;        // doubles
};

struct ShapPlan {
  std::vector<LeafGroup> groups;
  std::vector<PatternBit> bits;
  std::vector<Condition> bit_conditions;
  std::vector<LiteralBits> literal_bits;   // one a literal of the paths
  std::vector<std::uint32_t> places;       // of each leaf's targets: in its group's entry; of a long leaf: in the sums
  std::vector<std::uint32_t> first_place;  // one a leaf
  std::vector<std::uint32_t> offsets;      // where each block of an entry is in the sums
  std::vector<std::pair<std::int32_t, std::int32_t>> slots;  // features; equal ones for ShapTarget::feature
  std::uint32_t n_slots = 0;               // padded to blocks
  std::vector<Segment> segments;
};

ShapPlan plan_of(const TreePaths& paths, ShapTarget target);

}  // namespace mlwright::tree
