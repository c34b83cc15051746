#include "sampler/bart/grow_from_root.hpp"

#include <algorithm>
#include <numeric>

namespace mlwright::sampler::bart {
namespace {

constexpr std::size_t kFewestVariables = 5;  // looked at; more of many: their square root
constexpr int kSetsTried = 16;

}  // namespace

RootGrower::RootGrower(const Data& data, std::span<const std::int64_t> weight, std::int64_t min_weight)
    : data_(data), weight_(weight), min_weight_(min_weight), order_(static_cast<std::size_t>(data.n_rows())), right_(order_.size()) {}

RootGrower::Grown RootGrower::grow(std::span<const std::int32_t> residual, TreeSpace& space, const LeafModel& model,
                                   std::span<std::uint8_t> slots, runtime::Rng& rng) {
  std::iota(order_.begin(), order_.end(), 0U);
  Grown out;
  Part root{0, 0, order_.size(), {}};
  for (const std::uint32_t i : order_) {
    const std::int64_t w = weight_.empty() ? 1 : weight_[i];
    root.sums = root.sums + LeafSums{w, w * residual[i]};
  }
  std::vector<Part> open{root};
  while (!open.empty()) {
    const Part part = open.back();
    open.pop_back();
    const Candidate* chosen = nullptr;
    if (out.tree.n_leaves() < kMostLeaves && space.splittable(out.tree, part.node)) {
      gather(part, residual, space, model, out.tree, rng);
      chosen = choose(part, space.log_odds_of_leaf(out.tree[part.node].depth), model, rng);
    }
    if (chosen == nullptr) {
      const auto slot = static_cast<std::size_t>(out.tree[part.node].slot);
      out.leaves.resize(std::max(out.leaves.size(), slot + 1));
      out.leaves[slot] = part.sums;
      for (std::size_t k = part.begin; k < part.end; ++k) slots[order_[k]] = static_cast<std::uint8_t>(slot);
      continue;
    }
    const std::size_t middle = divide(part, chosen->rule);
    const LeafSums left = chosen->left;
    out.tree.grow(part.node, chosen->rule);
    open.push_back({out.tree[part.node].right, middle, part.end, part.sums - left});
    open.push_back({out.tree[part.node].left, part.begin, middle, left});
  }
  return out;
}

void RootGrower::gather(const Part& part, std::span<const std::int32_t> residual, const TreeSpace& space, const LeafModel& model,
                        const Tree& tree, runtime::Rng& rng) {
  candidates_.clear();
  const auto usable = space.usable();
  std::size_t tries = kFewestVariables;
  while (tries * tries < usable.size()) ++tries;
  tries = std::min(tries, usable.size());
  std::vector<index_t> places(tries);
  runtime::sample_without_replacement(rng, static_cast<index_t>(usable.size()), places);
  for (const index_t place : places) {
    const int variable = usable[static_cast<std::size_t>(place)];
    if (!space.has_rules(tree, part.node, variable)) continue;
    try_column(part, residual, variable);
    if (data_.columns()[static_cast<std::size_t>(variable)].n_codes > 0) try_sets(part, variable, model, rng);
    else try_cuts(part, variable, model);
  }
}

void RootGrower::try_column(const Part& part, std::span<const std::int32_t> residual, int variable) {
  by_code_.fill({});
  const std::uint8_t* const code = data_.column(variable);
  for (std::size_t k = part.begin; k < part.end; ++k) {
    const std::uint32_t i = order_[k];
    const std::int64_t w = weight_.empty() ? 1 : weight_[i];
    LeafSums& at = by_code_[code[i]];
    at.weight += w;
    at.sum += w * residual[i];
  }
}

void RootGrower::try_cuts(const Part& part, int variable, const LeafModel& model) {
  const Column& column = data_.columns()[static_cast<std::size_t>(variable)];
  const LeafSums missing = by_code_[kMissing];
  LeafSums left;
  for (int cut = 0; cut < column.n_cuts; ++cut) {
    const LeafSums here = by_code_[static_cast<std::size_t>(cut)];
    left = left + here;
    if (here.weight == 0 || (part.sums - missing - left).weight == 0) continue;  // as the cut before, or no cut
    add(part, {variable, 0, static_cast<std::uint8_t>(cut), false, {}}, left, model);
    if (missing.weight > 0) add(part, {variable, 1, static_cast<std::uint8_t>(cut + 1), false, {}}, left + missing, model);
  }
  if (missing.weight > 0) add(part, {variable, 0, static_cast<std::uint8_t>(kValues), false, {}}, part.sums - missing, model);
}

void RootGrower::try_sets(const Part& part, int variable, const LeafModel& model, runtime::Rng& rng) {
  const int n_codes = data_.columns()[static_cast<std::size_t>(variable)].n_codes;
  for (int t = 0; t < kSetsTried; ++t) {
    Rule rule{variable, 0, 0, true, {}};
    for (std::uint64_t& word : rule.codes) word = rng.next();
    LeafSums left;
    for (int c = 0; c < n_codes; ++c)
      if (rule.goes_left(static_cast<std::uint8_t>(c))) left = left + by_code_[static_cast<std::size_t>(c)];
    add(part, rule, left, model);
  }
}

void RootGrower::add(const Part& part, const Rule& rule, LeafSums left, const LeafModel& model) {
  const LeafSums right = part.sums - left;
  if (left.weight < std::max<std::int64_t>(min_weight_, 1) || right.weight < std::max<std::int64_t>(min_weight_, 1)) return;
  candidates_.push_back({rule, model.log_marginal(left) + model.log_marginal(right), left});
}

// One of the candidates, or none of them: a leaf has their number times the prior's odds.
const RootGrower::Candidate* RootGrower::choose(const Part& part, double log_odds_of_leaf, const LeafModel& model,
                                                runtime::Rng& rng) const {
  if (candidates_.empty()) return nullptr;
  const double leaf = model.log_marginal(part.sums) + log_odds_of_leaf + log(static_cast<double>(candidates_.size()));
  double largest = leaf;
  for (const Candidate& c : candidates_) largest = std::max(largest, c.log_weight);
  double total = exp(leaf - largest);
  for (const Candidate& c : candidates_) total += exp(c.log_weight - largest);
  double left = rng.uniform() * total - exp(leaf - largest);
  if (left < 0) return nullptr;
  for (const Candidate& c : candidates_)
    if ((left -= exp(c.log_weight - largest)) < 0) return &c;
  return &candidates_.back();
}

// Both sides keep their order, so that later passes read columns forwards.
std::size_t RootGrower::divide(const Part& part, const Rule& rule) {
  const std::uint8_t* const code = data_.column(rule.variable);
  std::size_t left = part.begin, n_right = 0;
  for (std::size_t k = part.begin; k < part.end; ++k) {
    const std::uint32_t i = order_[k];
    if (rule.goes_left(code[i])) order_[left++] = i;
    else right_[n_right++] = i;
  }
  std::copy(right_.begin(), right_.begin() + static_cast<std::ptrdiff_t>(n_right), order_.begin() + static_cast<std::ptrdiff_t>(left));
  return left;
}

}  // namespace mlwright::sampler::bart
