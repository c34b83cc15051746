#include "sampler/bart/forest.hpp"

#include "sampler/bart/moves.hpp"

namespace mlwright::sampler::bart {
namespace {

constexpr int kTreesBetweenChecks = 16;
constexpr int kFewSlots = 32;  // that kernels read at once
static_assert(kRows == simd::kBartRows);

}  // namespace

Forest::Forest(const Data& data, int n_trees, std::int64_t total_weight, const std::function<void()>& check)
    : data_(data), states_(static_cast<std::size_t>(n_trees)), slots_(static_cast<std::size_t>(data.stride() * n_trees)) {
  for (int t = 0; t < n_trees; ++t) {
    if (t % kTreesBetweenChecks == 0) check();
    states_[static_cast<std::size_t>(t)].weight[0] = total_weight;
    std::fill(slots(t), slots(t) + data.n_rows(), std::uint8_t{0});
    std::fill(slots(t) + data.n_rows(), slots(t) + data.stride(), std::uint8_t{kMostLeaves});
  }
  for (const Column& column : data.columns())
    if (column.n_codes > 0)
      for (auto& side : sides_) side.resize(static_cast<std::size_t>(data.stride()));
}

simd::BartSplit Forest::split_by(const Proposal& proposal) {
  if (proposal.move != Move::grow && proposal.move != Move::change) return {};
  const Rule& rule = proposal.rule;
  const std::uint8_t* code = data_.column(rule.variable);
  const auto a = static_cast<std::uint8_t>(proposal.a), b = static_cast<std::uint8_t>(proposal.b);
  if (!rule.is_set) return {code, rule.shift, rule.bound, a, b};
  side_ = 1 - side_;  // the other one may still be what is applied
  auto& side = sides_[static_cast<std::size_t>(side_)];
  for (std::size_t i = 0; i < side.size(); ++i) side[i] = rule.goes_left(code[i]) ? 0 : 1;
  return {side.data(), 0, 0, a, b};
}

void Forest::stage(int t, const simd::BartSplit& split) {
  const State& state = (*this)[t];
  pending_.tree = t;
  pending_.move = Move::none;
  pending_.split = split;
  pending_.values.n_slots = state.tree.n_leaves();
  // As kernels ask for them: zeros beyond the slots of either tree, and of rows beyond the data.
  for (std::int32_t* values : {pending_.values.before, pending_.values.after}) {
    std::fill_n(values, std::max(state.tree.n_leaves() + 1, kFewSlots), 0);
    values[kMostLeaves] = 0;
  }
  std::ranges::copy(state.value, pending_.values.before);
}

void Forest::accept(const Proposal& proposal, std::int64_t tried) {
  State& state = (*this)[pending_.tree];
  const int last = state.tree.n_leaves() - 1;
  pending_.move = proposal.move;
  move_leaves(proposal, state.weight, tried);
  if (proposal.move == Move::grow) {
    state.tree.grow(proposal.node, proposal.rule);
  } else if (proposal.move == Move::change) {
    state.tree.change(proposal.node, proposal.rule);
  } else {
    // The kept slot may be the last one: then it is that which is freed.
    pending_.split.a = static_cast<std::uint8_t>(proposal.a == last ? proposal.b : proposal.a);
    pending_.split.b = static_cast<std::uint8_t>(proposal.a == last ? proposal.a : proposal.b);
    pending_.last = last;
    state.tree.prune(proposal.node);
  }
}

void Forest::finish() {
  const State& state = (*this)[pending_.tree];
  pending_.values.n_slots = std::max(pending_.values.n_slots, state.tree.n_leaves());
  std::ranges::copy(state.value, pending_.values.after);
}

std::int32_t Forest::apply(std::int32_t* numbers, index_t begin, index_t rows) {
  const simd::BartTable& kernels = simd::bart();
  std::int32_t* const number = numbers + begin;
  std::uint8_t* const slot = slots(pending_.tree) + begin;
  simd::BartSplit split = pending_.split;
  switch (pending_.move) {
    case Move::none: return kernels.values(number, slot, rows, pending_.values);
    case Move::prune: return kernels.merge(number, slot, rows, pending_.values, split.a, split.b, pending_.last);
    default: split.code += begin; return kernels.split(number, slot, rows, pending_.values, split);
  }
}

void Forest::draw_weights(Sparsity& sparsity, TreeSpace& space, runtime::Rng rng) {
  const auto usable = space.usable();
  sparsity.clear();
  for (const State& state : states_)
    state.tree.each_inner_node([&](int node) {
      space.exhausted(state.tree, node, exhausted_);
      const auto place = std::ranges::lower_bound(usable, state.tree[node].rule.variable) - usable.begin();
      sparsity.count(static_cast<std::size_t>(place), exhausted_, rng);
    });
  sparsity.draw(rng);
  space.weights().set(sparsity.weights());
}

void Forest::keep(Draws& draws) const {
  for (const State& state : states_) draws.add(state.tree, state.value);
}

}  // namespace mlwright::sampler::bart
