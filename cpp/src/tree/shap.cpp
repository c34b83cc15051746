#include "mlwright/tree/shap.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "tree/shap_run.hpp"
#include "tree/shap_state.hpp"

namespace mlwright::tree {

TreeShap::TreeShap(const ForestArrays& forest, std::span<const double> cover, const ForestRules& rules,
                   MatrixView<const double> background, runtime::CancelToken& token) {
  if (cover.size() != forest.feature.size())
    throw InvalidArgument("SHAP values: got " + std::to_string(cover.size()) + " covers for " +
                          std::to_string(forest.feature.size()) + " nodes");
  for (const double c : cover)
    if (!(c >= 0)) throw InvalidArgument("SHAP values: got a node whose cover is negative or not a number");
  auto state = std::make_unique<ShapState>();
  state->n_features = forest.n_features;
  state->n_outputs = static_cast<index_t>(rules.start.size());
  state->float32_input = rules.float32_input;
  state->set_words.assign(forest.set_words.begin(), forest.set_words.end());
  state->trees.resize(static_cast<std::size_t>(forest.n_trees()));
  runtime::parallel_for(forest.n_trees(), 1, token, [&](index_t, index_t begin, index_t end) {
    for (index_t t = begin; t < end; ++t)
      state->trees[static_cast<std::size_t>(t)] =
          paths_of(forest, cover, t, static_cast<int>(state->n_outputs), rules.divide_by);
  });
  state->find_used();
  if (background.rows > 0)
    state->count_background(background, token);
  else
    state->quadrature = Quadrature((state->longest_path() + 1) / 2);
  state->value_plans = state->plans(ShapTarget::feature, token);
  state_ = std::move(state);
}

TreeShap::~TreeShap() = default;

index_t TreeShap::n_features() const noexcept { return state_->n_features; }
index_t TreeShap::n_outputs() const noexcept { return state_->n_outputs; }

std::vector<double> TreeShap::base() const {
  std::vector<double> base(static_cast<std::size_t>(state_->n_outputs), 0.0);
  for (std::size_t t = 0; t < state_->trees.size(); ++t) {
    const TreePaths& tree = state_->trees[t];
    const auto n = static_cast<std::size_t>(tree.n_outputs);
    for (std::size_t l = 0; l < tree.leaves.size(); ++l) {
      const double share = leaf_base(tree, state_->background_of(t), l);
      for (std::size_t k = 0; k < n; ++k) base[static_cast<std::size_t>(tree.first_output) + k] += share * tree.values[l * n + k];
    }
  }
  return base;
}

namespace {

void check_shape(index_t got, index_t expected, std::size_t size, std::size_t needed) {
  if (got != expected || size != needed)
    throw InvalidArgument("SHAP values: got rows of " + std::to_string(got) + " features, expected " + std::to_string(expected));
}

}  // namespace

template <class T>
void TreeShap::values(MatrixView<const T> x, std::span<double> out, runtime::CancelToken& token) const {
  const ShapOutput output{out.data(), n_features(), n_outputs(), ShapTarget::feature};
  check_shape(x.cols, n_features(), out.size(), static_cast<std::size_t>(x.rows) * output.row_size());
  std::ranges::fill(out, 0.0);
  ShapRun(*state_, state_->value_plans, output, token).add(x);
}

template <class T>
void TreeShap::interactions(MatrixView<const T> x, std::span<double> out, runtime::CancelToken& token) const {
  const ShapOutput output{out.data(), n_features(), n_outputs(), ShapTarget::pair};
  check_shape(x.cols, n_features(), out.size(), static_cast<std::size_t>(x.rows) * output.row_size());
  std::vector<double> own(static_cast<std::size_t>(x.rows * n_features() * n_outputs()));
  values(x, std::span(own), token);
  std::ranges::fill(out, 0.0);
  ShapRun(*state_, state_->plans(ShapTarget::pair, token), output, token).add(x);
  const index_t p = n_features(), n_out = n_outputs();
  runtime::parallel_for(x.rows, 64, token, [&](index_t, index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i)
      for (index_t j = 0; j < p; ++j)
        for (index_t k = 0; k < n_out; ++k) {
          double* row = out.data() + static_cast<std::size_t>((i * p + j) * p * n_out + k);
          double others = 0;
          for (index_t l = 0; l < p; ++l) others += row[l * n_out];
          row[j * n_out] = own[static_cast<std::size_t>((i * p + j) * n_out + k)] - others;
        }
  });
}

template void TreeShap::values(MatrixView<const double>, std::span<double>, runtime::CancelToken&) const;
template void TreeShap::values(MatrixView<const float>, std::span<double>, runtime::CancelToken&) const;
template void TreeShap::interactions(MatrixView<const double>, std::span<double>, runtime::CancelToken&) const;
template void TreeShap::interactions(MatrixView<const float>, std::span<double>, runtime::CancelToken&) const;

}  // namespace mlwright::tree
