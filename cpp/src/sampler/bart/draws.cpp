#include "mlwright/sampler/bart/draws.hpp"

namespace mlwright::sampler::bart {

void Draws::add(const Tree& tree, std::span<const std::int32_t> values) {
  add_node(tree, 0, values);
  ends.push_back(static_cast<index_t>(variable.size()));
}

void Draws::add_node(const Tree& tree, int node, std::span<const std::int32_t> values) {
  const Tree::Node& n = tree[node];
  const std::size_t at = variable.size();
  const bool leaf = n.is_leaf(), set = !leaf && n.rule.is_set;
  variable.push_back(leaf ? -1 : n.rule.variable);
  kind.push_back(leaf ? 0 : set ? kSetRule : n.rule.shift);
  bound.push_back(leaf ? 0 : n.rule.bound);
  right.push_back(0);
  value.push_back(leaf ? values[static_cast<std::size_t>(n.slot)] : set ? static_cast<std::int32_t>(sets.size() / kSetWords) : 0);
  if (leaf) return;
  if (set) sets.insert(sets.end(), n.rule.codes.begin(), n.rule.codes.end());
  add_node(tree, n.left, values);
  right[at] = static_cast<std::uint16_t>(variable.size() - at);
  add_node(tree, n.right, values);
}

}  // namespace mlwright::sampler::bart
