#include "mlwright/sampler/bart/tree.hpp"

namespace mlwright::sampler::bart {

bool Tree::is_leaf_parent(int node) const noexcept {
  const Node& n = (*this)[node];
  return !n.is_leaf() && (*this)[n.left].is_leaf() && (*this)[n.right].is_leaf();
}

int Tree::n_leaf_parents() const noexcept {
  int n = 0;
  for (const int leaf : leaf_of_slot_) {
    const int parent = (*this)[leaf].parent;
    n += parent >= 0 && (*this)[parent].left == leaf && is_leaf_parent(parent) ? 1 : 0;
  }
  return n;
}

int Tree::leaf_parent(int k) const noexcept {
  for (const int leaf : leaf_of_slot_) {
    const int parent = (*this)[leaf].parent;
    if (parent >= 0 && (*this)[parent].left == leaf && is_leaf_parent(parent) && k-- == 0) return parent;
  }
  return -1;
}

int Tree::new_node() {
  if (free_.empty()) {
    nodes_.emplace_back();
    return static_cast<int>(nodes_.size()) - 1;
  }
  const int node = free_.back();
  free_.pop_back();
  at(node) = Node{};
  return node;
}

void Tree::grow(int leaf, const Rule& rule) {
  const int left = new_node(), right = new_node();
  Node& parent = at(leaf);
  parent.left = left;
  parent.right = right;
  parent.rule = rule;
  for (const int child : {left, right}) {
    at(child).parent = leaf;
    at(child).depth = parent.depth + 1;
  }
  at(left).slot = parent.slot;
  at(right).slot = n_leaves();
  leaf_of_slot_[static_cast<std::size_t>(parent.slot)] = left;
  leaf_of_slot_.push_back(right);
}

void Tree::prune(int leaf_parent) noexcept {
  Node& parent = at(leaf_parent);
  const int kept = at(parent.left).slot, freed = at(parent.right).slot;
  free_.push_back(parent.left);
  free_.push_back(parent.right);
  parent.left = parent.right = -1;
  parent.slot = kept;
  leaf_of_slot_[static_cast<std::size_t>(kept)] = leaf_parent;
  // Where the last slot is the kept one itself, it moves to the freed place.
  const int last = leaf_of_slot_.back();
  leaf_of_slot_.pop_back();
  if (freed == n_leaves()) return;
  leaf_of_slot_[static_cast<std::size_t>(freed)] = last;
  at(last).slot = freed;
}

}  // namespace mlwright::sampler::bart
