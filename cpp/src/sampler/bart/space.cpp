#include "mlwright/sampler/bart/space.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "mlwright/base/elementary.hpp"

namespace mlwright::sampler::bart {
namespace {

constexpr double kGrow = 0.3, kPrune = 0.3, kChange = 0.4;

}  // namespace

void VariableWeights::set(std::span<const double> weights) {
  weights_.assign(weights.begin(), weights.end());
  sums_.resize(weights.size());
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sums_[i] = sum += weights[i];
}

std::size_t VariableWeights::draw(std::size_t n, std::span<const int> excluded, runtime::Rng& rng) const {
  if (even()) {
    auto place = static_cast<std::size_t>(rng.below(n - excluded.size()));
    for (const int e : excluded) place += place >= static_cast<std::size_t>(e) ? 1 : 0;
    return place;
  }
  const auto is_excluded = [&](std::size_t i) { return std::ranges::binary_search(excluded, static_cast<int>(i)); };
  if (excluded.empty()) {
    const double u = rng.uniform() * sums_.back();
    const auto at = std::ranges::upper_bound(sums_, u);
    return std::min(static_cast<std::size_t>(at - sums_.begin()), n - 1);
  }
  double total = 0;
  for (std::size_t i = 0; i < n; ++i) total += is_excluded(i) ? 0 : weights_[i];
  const double u = rng.uniform() * total;
  double sum = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (is_excluded(i)) continue;
    last = i;
    sum += weights_[i];
    if (u < sum) return i;
  }
  return last;
}

TreeSpace::TreeSpace(std::span<const Column> columns, const TreePrior& prior)
    : columns_(columns.begin(), columns.end()), prior_(prior) {
  for (int j = 0; j < static_cast<int>(columns_.size()); ++j)
    if (n_rules(columns_[static_cast<std::size_t>(j)], reach(j)) > 0) usable_.push_back(j);
  for (int d = 0; d <= kMostLeaves; ++d) {
    const double p = prior.alpha * exp(-prior.beta * log(1.0 + d));
    log_split_.push_back(log(p));
    log_no_split_.push_back(log1p(-p));
  }
}

void TreeSpace::steps_to(const Tree& tree, int node) const {
  steps_.clear();
  for (int parent = tree[node].parent; parent >= 0; node = parent, parent = tree[node].parent)
    steps_.push_back({&tree[parent].rule, tree[parent].left == node});
}

TreeSpace::Reach TreeSpace::reach(int variable) const {
  const Column& column = columns_[static_cast<std::size_t>(variable)];
  Reach r{0, column.n_cuts, true, {}};
  for (int c = 0; c < column.n_codes; ++c) r.codes[static_cast<std::size_t>(c >> 6)] |= std::uint64_t{1} << (c & 63);
  for (const auto& [rule, left] : steps_) {
    if (rule->variable != variable) continue;
    if (rule->is_set) {
      for (std::size_t w = 0; w < 4; ++w) r.codes[w] &= left ? rule->codes[w] : ~rule->codes[w];
      continue;
    }
    const int cut = rule->bound - rule->shift;
    if (left) r.high = std::min(r.high, cut);
    else r.low = std::max(r.low, cut + 1);
    r.missing = r.missing && (rule->shift != 0) == left;
  }
  return r;
}

// Of categories only whether there are any.
int TreeSpace::n_rules(const Column& column, const Reach& reach) noexcept {
  if (column.n_codes > 0) {
    int within = 0;
    for (const std::uint64_t word : reach.codes) within += std::popcount(word);
    return within > 1 ? 1 : 0;
  }
  const int cuts = std::max(reach.high - reach.low, 0);
  const bool apart = reach.missing && column.has_missing && reach.low <= reach.high;
  return cuts * (reach.missing ? 2 : 1) + (apart ? 1 : 0);
}

void TreeSpace::exhausted_by_steps(std::vector<int>& places) const {
  places.clear();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const int variable = steps_[i].rule->variable;
    bool seen = false;
    for (std::size_t k = 0; k < i; ++k) seen = seen || steps_[k].rule->variable == variable;
    if (seen || n_rules(columns_[static_cast<std::size_t>(variable)], reach(variable)) > 0) continue;
    places.push_back(static_cast<int>(std::ranges::lower_bound(usable_, variable) - usable_.begin()));
  }
  std::ranges::sort(places);
}

void TreeSpace::exhausted(const Tree& tree, int node, std::vector<int>& places) const {
  steps_to(tree, node);
  exhausted_by_steps(places);
}

double TreeSpace::log_split(int depth) const { return log_split_[static_cast<std::size_t>(depth)]; }
double TreeSpace::log_no_split(int depth) const { return log_no_split_[static_cast<std::size_t>(depth)]; }

bool TreeSpace::steps_splittable() const {
  if (static_cast<int>(steps_.size()) >= prior_.max_depth) return false;
  if (steps_.size() < usable_.size()) return true;  // a step exhausts one column at most
  exhausted_by_steps(places_);
  return places_.size() < usable_.size();
}

bool TreeSpace::splittable(const Tree& tree, int node) const {
  steps_to(tree, node);
  return steps_splittable();
}

bool TreeSpace::has_rules(const Tree& tree, int node, int variable) const {
  steps_to(tree, node);
  return n_rules(columns_[static_cast<std::size_t>(variable)], reach(variable)) > 0;
}

bool TreeSpace::child_splittable(const Tree& tree, int node, const Rule& rule, bool left) const {
  steps_to(tree, node);
  steps_.push_back({&rule, left});
  return steps_splittable();
}

int TreeSpace::n_splittable(const Tree& tree) const {
  int n = 0;
  for (int slot = 0; slot < tree.n_leaves(); ++slot) n += splittable(tree, tree.leaf(slot)) ? 1 : 0;
  return n;
}

TreeSpace::Chances TreeSpace::chances(int n_leaves, int n_splittable, int n_leaf_parents) noexcept {
  const double grow = n_splittable > 0 && n_leaves < kMostLeaves ? kGrow : 0;
  const double prune = n_leaf_parents > 0 ? kPrune : 0, change = n_leaf_parents > 0 ? kChange : 0;
  const double sum = grow + prune + change;
  if (sum == 0) return {};
  return {grow / sum, prune / sum, change / sum};
}

Rule TreeSpace::draw_set(int variable, const Reach& reach, runtime::Rng& rng) const {
  Rule rule{variable, 0, 0, true, {}};
  for (;;) {
    bool any_left = false, any_right = false;
    for (std::size_t w = 0; w < 4; ++w) {
      rule.codes[w] = rng.next();
      any_left = any_left || (rule.codes[w] & reach.codes[w]) != 0;
      any_right = any_right || (~rule.codes[w] & reach.codes[w]) != 0;
    }
    if (any_left && any_right) return rule;  // codes out of reach keep their random bits: levels never seen go either way
  }
}

// From the prior at a node, by what its ancestors leave.
Rule TreeSpace::draw_rule(const Tree& tree, int node, runtime::Rng& rng) const {
  exhausted(tree, node, places_);
  const int variable = usable_[weights_.draw(usable_.size(), places_, rng)];
  const Reach r = reach(variable);
  const Column& column = columns_[static_cast<std::size_t>(variable)];
  if (column.n_codes > 0) return draw_set(variable, r, rng);
  const int k = static_cast<int>(rng.below(static_cast<std::uint64_t>(n_rules(column, r))));
  const int cuts = std::max(r.high - r.low, 0);
  if (!r.missing) return {variable, 0, static_cast<std::uint8_t>(r.low + k), false, {}};
  if (k < 2 * cuts)
    return {variable, static_cast<std::uint8_t>(k & 1), static_cast<std::uint8_t>(r.low + k / 2 + (k & 1)), false, {}};
  return {variable, 0, static_cast<std::uint8_t>(kValues), false, {}};
}

double TreeSpace::log_grow_prior(int depth, bool left, bool right) const {
  return log_split(depth) - log_no_split(depth) + (left ? log_no_split(depth + 1) : 0) +
         (right ? log_no_split(depth + 1) : 0);
}

Proposal TreeSpace::grow(const Tree& tree, int n_growing, int n_parents, const Chances& chance, runtime::Rng& rng) const {
  auto k = static_cast<int>(rng.below(static_cast<std::uint64_t>(n_growing)));
  int slot = 0;
  while (!splittable(tree, tree.leaf(slot)) || k-- > 0) ++slot;
  const int node = tree.leaf(slot), parent = tree[node].parent;
  Proposal p{Move::grow, node, slot, tree.n_leaves(), draw_rule(tree, node, rng), 0};
  const bool left = child_splittable(tree, node, p.rule, true), right = child_splittable(tree, node, p.rule, false);
  const int parents_then = n_parents + (parent >= 0 && tree.is_leaf_parent(parent) ? 0 : 1);
  const Chances then = chances(tree.n_leaves() + 1, n_growing - 1 + left + right, parents_then);
  p.log_ratio = log_grow_prior(tree[node].depth, left, right) + log(then.prune) - log(parents_then) -
                (log(chance.grow) - log(n_growing));
  return p;
}

Proposal TreeSpace::prune(const Tree& tree, int n_growing, int n_parents, const Chances& chance, runtime::Rng& rng) const {
  const int node = tree.leaf_parent(static_cast<int>(rng.below(static_cast<std::uint64_t>(n_parents))));
  const Tree::Node& n = tree[node];
  Proposal p{Move::prune, node, tree[n.left].slot, tree[n.right].slot, n.rule, 0};
  const bool left = splittable(tree, n.left), right = splittable(tree, n.right);
  const bool parent_becomes_one = n.parent >= 0 && tree[tree[n.parent].left == node ? tree[n.parent].right : tree[n.parent].left].is_leaf();
  const int growing_then = n_growing - left - right + 1;
  const Chances then = chances(tree.n_leaves() - 1, growing_then, n_parents - 1 + parent_becomes_one);
  p.log_ratio = log(then.grow) - log(growing_then) - (log(chance.prune) - log(n_parents)) - log_grow_prior(n.depth, left, right);
  return p;
}

Proposal TreeSpace::change(const Tree& tree, int n_growing, int n_parents, const Chances& chance, runtime::Rng& rng) const {
  const int node = tree.leaf_parent(static_cast<int>(rng.below(static_cast<std::uint64_t>(n_parents))));
  const Tree::Node& n = tree[node];
  Proposal p{Move::change, node, tree[n.left].slot, tree[n.right].slot, draw_rule(tree, node, rng), 0};
  const int before = splittable(tree, n.left) + splittable(tree, n.right);
  const int after = child_splittable(tree, node, p.rule, true) + child_splittable(tree, node, p.rule, false);
  const Chances then = chances(tree.n_leaves(), n_growing - before + after, n_parents);
  p.log_ratio = (after - before) * log_no_split(n.depth + 1) + log(then.change) - log(chance.change);
  return p;
}

Proposal TreeSpace::propose(const Tree& tree, runtime::Rng& rng) const {
  const int n_growing = n_splittable(tree), n_parents = tree.n_leaf_parents();
  const Chances chance = chances(tree.n_leaves(), n_growing, n_parents);
  const double u = rng.uniform();
  if (chance.grow + chance.prune + chance.change == 0) return {};
  if (u < chance.grow) return grow(tree, n_growing, n_parents, chance, rng);
  if (u < chance.grow + chance.prune || chance.change == 0) return prune(tree, n_growing, n_parents, chance, rng);
  return change(tree, n_growing, n_parents, chance, rng);
}

}  // namespace mlwright::sampler::bart
