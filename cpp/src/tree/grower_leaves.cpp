// What comes after growth: the rows of each leaf, its value from their gradients, and their new scores.
#include <algorithm>
#include <cmath>

#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "mlwright/tree/exact_sum.hpp"
#include "mlwright/tree/grower.hpp"
#include "simd/boosting.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kMarkedAtOnce = 16384, kMarkGrain = 8 * kMarkedAtOnce;
constexpr index_t kRowGrain = 16384;

}  // namespace

// Writes each row's leaf to scratch_; rows outside the sample have their leaf's number plus that of all leaves. What comes
// after growth then reads rows in order. Rows of a leaf ascend: they are written some thousand rows at a time, whose marks
// stay in the cache, and not leaf by leaf, which would bring every line of marks once for each leaf in it.
void Grower::mark_leaves(runtime::CancelToken& token) {
  std::ranges::sort(leaves_, {}, &Leaf::begin);
  struct Run {  // what is left of one leaf
    const std::uint32_t *at, *end;
    std::uint32_t leaf;
  };
  runtime::parallel_for(bins_.n_rows(), kMarkGrain, token, [&](index_t, index_t begin, index_t end) {
    std::vector<Run> runs;
    const auto add = [&](index_t first, index_t last, std::size_t leaf) {
      const std::uint32_t *from = rows_.data() + first, *to = rows_.data() + last;
      from = std::lower_bound(from, to, static_cast<std::uint32_t>(begin));
      if (from < to && *from < end) runs.push_back({from, to, static_cast<std::uint32_t>(leaf)});
    };
    for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
      add(leaves_[leaf].begin, leaves_[leaf].end, leaf);
      add(leaves_[leaf].out_begin, leaves_[leaf].out_end, leaves_.size() + leaf);
    }
    for (index_t next = begin; next < end;) {
      next = std::min(next + kMarkedAtOnce, end);
      for (Run& run : runs)
        for (; run.at < run.end && *run.at < next; ++run.at) scratch_[*run.at] = run.leaf;
    }
  });
}

// Of the gradients themselves, not of their integers, and in no order: the same bits for repetitions as for repeated rows.
std::vector<Grower::LeafSums> Grower::leaf_sums(const Gradients& gradients, runtime::CancelToken& token) {
  mark_leaves(token);
  const FixedPoint& fixed = gradients.fixed;
  const ExactScale g_scale(std::ldexp(0.5, fixed.g_exponent), fixed.count_bits);
  const ExactScale h_scale(std::ldexp(0.5, fixed.h_exponent), fixed.count_bits);
  const simd::LeafScales scales{g_scale.first(), h_scale.first(), g_scale.second()};
  const auto fresh = [&] { return std::vector<simd::LeafTotals>(2 * leaves_.size()); };  // outside the sample: not read
  runtime::PerWorker<std::vector<simd::LeafTotals>> totals(fresh);
  runtime::parallel_for(bins_.n_rows(), kRowGrain, token, [&](index_t, index_t begin, index_t end) {
    std::vector<simd::LeafTotals>& mine = totals.local();
    double memory[2 * Gradients::kStrip];
    for (index_t i = begin; i < end; i += Gradients::kStrip) {
      const index_t next = std::min(i + Gradients::kStrip, end);
      const auto [g, h] = gradients.strip(i, next, memory);
      simd::boosting().sum_by_leaf(g, h, gradients.weight.empty() ? nullptr : gradients.weight.data() + i,
                                   scratch_.data() + i, next - i, scales, mine.data());
    }
  });
  std::vector<LeafSums> result;
  for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
    ExactSum g, h;
    totals.for_each([&](const std::vector<simd::LeafTotals>& of_worker) {
      g.add({of_worker[leaf].g_high, of_worker[leaf].g_low});
      h.add({of_worker[leaf].h_high, of_worker[leaf].h_low});
    });
    result.push_back({g_scale.value(g), gradients.constant_hessian ? static_cast<double>(h.high) : h_scale.value(h)});
  }
  return result;
}

void Grower::set_leaf_values(const Gradients& gradients, runtime::CancelToken& token) {
  const std::vector<LeafSums> of_leaf = leaf_sums(gradients, token);
  const FixedPoint& fixed = gradients.fixed;
  for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
    const Bounds& scaled = leaves_[leaf].bounds;
    const Bounds bounds{fixed.unscaled_value(scaled.low), fixed.unscaled_value(scaled.high)};
    nodes_[static_cast<std::size_t>(leaves_[leaf].node)].value =
        rules_.learning_rate * leaf_value(of_leaf[leaf].g, of_leaf[leaf].h, rules_.l1, rules_.l2, bounds);
  }
}

void Grower::add_to(std::span<double> raw, runtime::CancelToken& token) const {
  std::vector<double> values;
  for (int copy = 0; copy < 2; ++copy)  // of rows in the sample, and outside it
    for (const Leaf& leaf : leaves_) values.push_back(nodes_[static_cast<std::size_t>(leaf.node)].value);
  runtime::parallel_for(bins_.n_rows(), kRowGrain, token, [&](index_t, index_t begin, index_t end) {
    simd::boosting().add_by_leaf(values.data(), scratch_.data() + begin, end - begin, raw.data() + begin);
  });
}

}  // namespace mlwright::tree
