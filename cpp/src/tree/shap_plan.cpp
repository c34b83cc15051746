#include "tree/shap_plan.hpp"

#include <algorithm>
#include <unordered_map>

namespace mlwright::tree {
namespace {

// Most bits of a group's pattern. Measured on trees of 31 leaves; more make tables that no longer fit the cache.
constexpr int kFeatureBits = 9;
constexpr int kPairBits = 7;

class Planner {
 public:
  Planner(const TreePaths& paths, ShapTarget target)
      : paths_(paths), target_(target), most_bits_(target == ShapTarget::feature ? kFeatureBits : kPairBits) {}

  ShapPlan plan() {
    plan_.literal_bits.resize(paths_.literals.size());
    find_groups();
    for (const LeafGroup& group : plan_.groups) find_slots(group);
    plan_.n_slots = (static_cast<std::uint32_t>(plan_.slots.size()) + kShapBlock - 1) / kShapBlock * kShapBlock;
    for (LeafGroup& group : plan_.groups) group.is_long ? place_in_sums(group) : place_in_entry(group);
    cut_into_segments();
    return std::move(plan_);
  }

 private:
  // The highest test above the leaf whose leaves fit one table together: -1 if none does.
  std::int32_t group_root(const PathLeaf& leaf) const {
    std::int32_t root = -1;
    for (std::int32_t t = leaf.parent; t >= 0; t = test(t).parent)
      if (test(t).n_above + test(t).n_below <= most_bits_) root = t;
    return root;
  }

  const PathTest& test(std::int32_t t) const { return paths_.tests[static_cast<std::size_t>(t)]; }

  void find_groups() {
    const auto n = static_cast<std::uint32_t>(paths_.leaves.size());
    for (std::uint32_t begin = 0; begin < n;) {
      const std::int32_t root = group_root(paths_.leaves[begin]);
      std::uint32_t end = begin + 1;
      while (root >= 0 && end < n && group_root(paths_.leaves[end]) == root) ++end;
      LeafGroup group;
      group.first_leaf = begin;
      group.n_leaves = end - begin;
      group.is_long = root < 0 && paths_.leaves[begin].count > static_cast<std::uint32_t>(most_bits_);
      if (!group.is_long) find_bits(group, root);
      plan_.groups.push_back(group);
      begin = end;
    }
  }

  // Bits of the features above the group's root (for a leaf alone: of all its features), then of the tests below it.
  void find_bits(LeafGroup& group, std::int32_t root) {
    group.first_bit = static_cast<std::uint32_t>(plan_.bits.size());
    const PathLeaf& first = paths_.leaves[group.first_leaf];
    const std::uint32_t n_above = root < 0 ? first.count : static_cast<std::uint32_t>(test(root).n_above);
    for (std::uint32_t i = 0; i < n_above; ++i) {
      PatternBit bit{static_cast<std::uint32_t>(plan_.bit_conditions.size()), 0};
      for (const Condition& c : paths_.conditions_of(paths_.literals[first.first + i])) {
        if (is_below(c, root)) continue;
        plan_.bit_conditions.push_back(c);
        ++bit.count;
      }
      plan_.bits.push_back(bit);
    }
    const std::int32_t n_below = root < 0 ? 0 : test(root).n_below;
    for (std::int32_t t = root; t < root + n_below; ++t) {
      plan_.bits.push_back({static_cast<std::uint32_t>(plan_.bit_conditions.size()), 1});
      plan_.bit_conditions.push_back({static_cast<std::uint32_t>(t), true});
    }
    group.n_bits = static_cast<int>(plan_.bits.size() - group.first_bit);
    for (std::uint32_t l = group.first_leaf; l < group.first_leaf + group.n_leaves; ++l)
      set_literal_bits(paths_.leaves[l], n_above, root);
  }

  bool is_below(const Condition& c, std::int32_t root) const {
    return root >= 0 && static_cast<std::int32_t>(c.test) >= root;
  }

  // The features above the root are the first literals of every leaf below it.
  void set_literal_bits(const PathLeaf& leaf, std::uint32_t n_above, std::int32_t root) {
    for (std::uint32_t i = 0; i < leaf.count; ++i) {
      LiteralBits& bits = plan_.literal_bits[leaf.first + i];
      if (i < n_above) bits.ones |= 1U << i;
      for (const Condition& c : paths_.conditions_of(paths_.literals[leaf.first + i])) {
        if (!is_below(c, root)) continue;
        (c.left ? bits.ones : bits.zeros) |= 1U << (n_above + c.test - static_cast<std::uint32_t>(root));
      }
    }
  }

  template <class Body>
  void for_targets(const PathLeaf& leaf, Body body) const {
    const auto literals = paths_.literals_of(leaf);
    for (std::size_t i = 0; i < literals.size(); ++i) {
      if (target_ == ShapTarget::feature) {
        body(literals[i].feature, literals[i].feature);
        continue;
      }
      for (std::size_t j = i + 1; j < literals.size(); ++j)
        body(std::min(literals[i].feature, literals[j].feature), std::max(literals[i].feature, literals[j].feature));
    }
  }

  static std::uint64_t key(std::int32_t i, std::int32_t j) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(i)) << 32 | static_cast<std::uint32_t>(j);
  }

  void find_slots(const LeafGroup& group) {
    for (std::uint32_t l = group.first_leaf; l < group.first_leaf + group.n_leaves; ++l)
      for_targets(paths_.leaves[l], [&](std::int32_t i, std::int32_t j) {
        if (slot_of_.try_emplace(key(i, j), static_cast<std::uint32_t>(plan_.slots.size())).second) plan_.slots.push_back({i, j});
      });
  }

  void place_in_sums(const LeafGroup& group) {
    for (std::uint32_t l = group.first_leaf; l < group.first_leaf + group.n_leaves; ++l) {
      plan_.first_place.push_back(static_cast<std::uint32_t>(plan_.places.size()));
      for_targets(paths_.leaves[l], [&](std::int32_t i, std::int32_t j) { plan_.places.push_back(slot_of_.at(key(i, j))); });
    }
  }

  // An entry holds, for each output, the blocks of slots that the group touches.
  void place_in_entry(LeafGroup& group) {
    std::vector<std::uint32_t> blocks;
    for (std::uint32_t l = group.first_leaf; l < group.first_leaf + group.n_leaves; ++l)
      for_targets(paths_.leaves[l],
                  [&](std::int32_t i, std::int32_t j) { blocks.push_back(slot_of_.at(key(i, j)) / kShapBlock); });
    std::ranges::sort(blocks);
    blocks.erase(std::ranges::unique(blocks).begin(), blocks.end());
    for (std::uint32_t l = group.first_leaf; l < group.first_leaf + group.n_leaves; ++l) {
      plan_.first_place.push_back(static_cast<std::uint32_t>(plan_.places.size()));
      for_targets(paths_.leaves[l], [&](std::int32_t i, std::int32_t j) {
        const std::uint32_t slot = slot_of_.at(key(i, j));
        const auto block = std::ranges::lower_bound(blocks, slot / kShapBlock) - blocks.begin();
        plan_.places.push_back(static_cast<std::uint32_t>(block) * kShapBlock + slot % kShapBlock);
      });
    }
    group.first_offset = static_cast<std::uint32_t>(plan_.offsets.size());
    group.n_blocks = static_cast<std::uint32_t>(blocks.size()) * static_cast<std::uint32_t>(paths_.n_outputs);
    for (int k = 0; k < paths_.n_outputs; ++k)
      for (const std::uint32_t block : blocks)
        plan_.offsets.push_back(static_cast<std::uint32_t>(k) * plan_.n_slots + block * kShapBlock);
  }

  void cut_into_segments() {
    std::vector<std::uint32_t> seen(paths_.tests.size(), 0);  // 1 + the segment that has the test
    for (std::uint32_t g = 0; g < plan_.groups.size(); ++g) {
      const LeafGroup& group = plan_.groups[g];
      if (plan_.segments.empty() || plan_.segments.back().n_groups == kShapGroupLimit ||
          plan_.segments.back().table_size + group.table_size() > kShapTableLimit)
        plan_.segments.push_back({g, 0, {}, {}, 0});
      Segment& segment = plan_.segments.back();
      ++segment.n_groups;
      segment.table_size += group.table_size();
      const auto number = static_cast<std::uint32_t>(plan_.segments.size());
      for (std::uint32_t l = group.first_leaf; l < group.first_leaf + group.n_leaves; ++l)
        for (std::int32_t t = paths_.leaves[l].parent; t >= 0 && seen[static_cast<std::size_t>(t)] != number; t = test(t).parent) {
          seen[static_cast<std::size_t>(t)] = number;
          segment.tests.push_back(static_cast<std::uint32_t>(t));
        }
      add_blocks(group, segment.blocks);
    }
  }

  // Keeps `blocks` ascending and without repeats.
  void add_blocks(const LeafGroup& group, std::vector<std::uint32_t>& blocks) const {
    const auto n = group.n_blocks / static_cast<std::uint32_t>(paths_.n_outputs);
    for (std::uint32_t b = 0; b < n; ++b) blocks.push_back(plan_.offsets[group.first_offset + b] / kShapBlock);
    if (group.is_long) {
      const PathLeaf& leaf = paths_.leaves[group.first_leaf];
      std::uint32_t place = plan_.first_place[group.first_leaf];
      for_targets(leaf, [&](std::int32_t, std::int32_t) { blocks.push_back(plan_.places[place++] / kShapBlock); });
    }
    std::ranges::sort(blocks);
    blocks.erase(std::ranges::unique(blocks).begin(), blocks.end());
  }

  const TreePaths& paths_;
  ShapTarget target_;
  int most_bits_;
  ShapPlan plan_;
  std::unordered_map<std::uint64_t, std::uint32_t> slot_of_;
};

}  // namespace

ShapPlan plan_of(const TreePaths& paths, ShapTarget target) {
  return Planner(paths, target).plan();
}

}  // namespace mlwright::tree
