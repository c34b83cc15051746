// A move of a tree: whether it is taken, and what it does to what is known of leaves, by slot, whatever that is: weights, sums,
// sums of squares.
//
// `tried` is of the rows that the proposed rule sends left. A grown leaf's slot stays the left one's; of two pruned ones the
// last slot takes the place of the freed one: as in Tree.
#pragma once

#include <vector>

#include "mlwright/base/elementary.hpp"
#include "mlwright/sampler/bart/space.hpp"

namespace mlwright::sampler::bart {

// Of all rows that the move touches.
template <class Leaf>
Leaf moved_whole(const Proposal& p, const std::vector<Leaf>& leaves) {
  const auto a = static_cast<std::size_t>(p.a), b = static_cast<std::size_t>(p.b);
  return p.move == Move::grow ? leaves[a] : leaves[a] + leaves[b];
}

// Log ratio of the marginal likelihoods, after to before.
template <class Leaf, class Model>
double log_gain(const Proposal& p, const std::vector<Leaf>& leaves, const Leaf& tried, const Model& model) {
  const auto a = static_cast<std::size_t>(p.a), b = static_cast<std::size_t>(p.b);
  const auto both = [&](const Leaf& x, const Leaf& y) { return model.log_marginal(x) + model.log_marginal(y); };
  const Leaf whole = moved_whole(p, leaves);
  if (p.move == Move::prune) return model.log_marginal(whole) - both(leaves[a], leaves[b]);
  return both(tried, whole - tried) - (p.move == Move::grow ? model.log_marginal(whole) : both(leaves[a], leaves[b]));
}

template <class Leaf>
void move_leaves(const Proposal& p, std::vector<Leaf>& leaves, const Leaf& tried) {
  const auto a = static_cast<std::size_t>(p.a), b = static_cast<std::size_t>(p.b);
  const Leaf whole = moved_whole(p, leaves);
  if (p.move == Move::prune) {
    leaves[a] = whole;
    leaves[b] = leaves.back();  // the kept slot may be the last one: then it is that which moves
    leaves.pop_back();
    return;
  }
  if (p.move == Move::grow) leaves.emplace_back();
  leaves[a] = tried;
  leaves[b] = whole - tried;
}

// Trees with a leaf of less weight have no prior probability; joined leaves have enough.
inline bool leaves_enough(const Proposal& p, const std::vector<std::int64_t>& weights, std::int64_t tried, std::int64_t least) {
  return p.move == Move::prune || (tried >= least && moved_whole(p, weights) - tried >= least);
}

// Metropolis and Hastings' decision, `tried` of weight `weight`; leaves are moved where it is taken.
template <class Leaf, class Model>
bool taken(const Proposal& p, std::vector<Leaf>& leaves, const Leaf& tried, const Model& model,
           const std::vector<std::int64_t>& weights, std::int64_t weight, std::int64_t least, runtime::Rng& random) {
  if (p.move == Move::none) return false;
  const double log_u = log(random.uniform_open());
  if (!leaves_enough(p, weights, weight, least)) return false;
  if (!(log_u < p.log_ratio + log_gain(p, leaves, tried, model))) return false;
  move_leaves(p, leaves, tried);
  return true;
}

}  // namespace mlwright::sampler::bart
