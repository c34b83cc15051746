// The trees of one sum (or product) in a chain, the slots of all rows in them, and what the last move of one still has to do
// to the rows.
//
// Rows are changed late: what tree t's step decided is applied in the pass that sums what tree t + 1 asks for.
//   split_by(proposal)   the rule on trial, as kernels read it
//   stage(t, split)      tree t is at its step; its leaf values are noted
//   accept(proposal)     the tree and the weights of its leaves move
//   finish()             its new leaf values are noted, and are to be applied
//   apply(numbers, ...)  numbers[row] += value before - value after, slots move; block by block, then applied()
// Memory  one byte an observation and tree.
#pragma once

#include <algorithm>
#include <array>
#include <functional>

#include "mlwright/sampler/bart/data.hpp"
#include "mlwright/sampler/bart/draws.hpp"
#include "mlwright/sampler/bart/space.hpp"
#include "sampler/bart/sparsity.hpp"
#include "simd/bart.hpp"

namespace mlwright::sampler::bart {

class Forest {
 public:
  struct State {
    Tree tree;
    std::vector<std::int32_t> value{0};  // by slot
    std::vector<std::int64_t> weight{0};
  };

  // Trees of one leaf each, which holds all of the weight. check() is called every few trees; may throw.
  Forest(const Data& data, int n_trees, std::int64_t total_weight, const std::function<void()>& check);

  int size() const noexcept { return static_cast<int>(states_.size()); }
  State& operator[](int t) noexcept { return states_[static_cast<std::size_t>(t)]; }
  const State& operator[](int t) const noexcept { return states_[static_cast<std::size_t>(t)]; }
  auto begin() const noexcept { return states_.begin(); }
  auto end() const noexcept { return states_.end(); }
  std::uint8_t* slots(int t) noexcept { return slots_.data() + static_cast<std::size_t>(t) * static_cast<std::size_t>(data_.stride()); }

  simd::BartSplit split_by(const Proposal& proposal);
  void stage(int t, const simd::BartSplit& split);
  void accept(const Proposal& proposal, std::int64_t tried);
  void finish();

  bool is_pending() const noexcept { return pending_.tree >= 0; }
  std::span<const std::int32_t> before() const noexcept { return noted(pending_.values.before); }  // values of what is pending
  std::span<const std::int32_t> after() const noexcept { return noted(pending_.values.after); }
  // The largest |number| then.
  std::int32_t apply(std::int32_t* numbers, index_t begin, index_t rows);
  void applied() noexcept { pending_.tree = -1; }

  // Weights of variables given the rules.
  void draw_weights(Sparsity& sparsity, TreeSpace& space, runtime::Rng rng);
  void keep(Draws& draws) const;

 private:
  struct Pending {
    int tree = -1;
    Move move = Move::none;
    simd::BartSplit split;
    int last = 0;
    simd::BartValues values;
  };
  std::span<const std::int32_t> noted(const std::int32_t* values) const noexcept {
    return {values, static_cast<std::size_t>(is_pending() ? pending_.values.n_slots : 0)};
  }

  const Data& data_;
  std::vector<State> states_;
  Buffer<std::uint8_t> slots_;
  std::array<std::vector<std::uint8_t>, 2> sides_;  // of rules of categories: that on trial, and that accepted before
  int side_ = 0;
  Pending pending_;
  std::vector<int> exhausted_;
};

}  // namespace mlwright::sampler::bart
