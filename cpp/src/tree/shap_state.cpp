#include "tree/shap_state.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"

namespace mlwright::tree {
namespace {

using simd::kShapRows;
using simd::RowMask;

}  // namespace

void ShapState::decide(const PathTest& test, const ShapTiles& tiles, index_t tile, RowMask* mask) const {
  const double* x = tiles.column(tile, static_cast<std::size_t>(features.place_of(test.feature)));
  if (test.rule == Rule::numeric) return simd::shap().compare(x, test.threshold, test.missing_left, mask);
  if (test.rule == Rule::zero_as_missing)
    return simd::shap().compare_zero_missing(x, test.threshold, test.missing_left, mask);
  for (int r = 0; r < kShapRows; ++r) {
    bool left = test.missing_left;
    if (!std::isnan(x[r])) {
      left = test.set_words > 0 && x[r] > -1.0 && x[r] < 32.0 * test.set_words;
      if (left) {
        const auto code = static_cast<std::uint32_t>(x[r]);
        left = set_words[test.set_begin + code / 32] >> (code % 32) & 1U;
      }
    }
    mask[r] = left ? 0xffff : 0;
  }
}

void ShapState::find_used() {
  std::vector<std::int32_t> asked;
  for (const TreePaths& paths : trees)
    for (const PathTest& test : paths.tests) asked.push_back(test.feature);
  features = UsedFeatures(std::move(asked));
  used = features.list();
}

int ShapState::longest_path() const {
  std::uint32_t longest = 1;
  for (const TreePaths& paths : trees)
    for (const PathLeaf& leaf : paths.leaves) longest = std::max(longest, leaf.count);
  return static_cast<int>(longest);
}

std::vector<ShapPlan> ShapState::plans(ShapTarget target, runtime::CancelToken& token) const {
  std::vector<ShapPlan> result(trees.size());
  runtime::parallel_for(static_cast<index_t>(trees.size()), 1, token, [&](index_t, index_t begin, index_t end) {
    for (index_t t = begin; t < end; ++t)
      result[static_cast<std::size_t>(t)] = plan_of(trees[static_cast<std::size_t>(t)], target);
  });
  return result;
}

BackgroundPatterns ShapState::patterns_of(const TreePaths& paths, const ShapTiles& tiles) const {
  const auto n_rows = static_cast<std::size_t>(tiles.n_rows());
  std::vector<std::vector<std::uint64_t>> rows(paths.leaves.size());
  std::vector<RowMask> masks(paths.tests.size() * kShapRows);
  RowMask all[kShapRows];
  for (index_t tile = 0; tile < tiles.n_tiles(); ++tile) {
    for (std::size_t t = 0; t < paths.tests.size(); ++t) decide(paths.tests[t], tiles, tile, masks.data() + t * kShapRows);
    for (std::size_t l = 0; l < rows.size(); ++l) {
      std::uint64_t pattern[kShapRows] = {};
      const auto literals = paths.literals_of(paths.leaves[l]);
      for (std::size_t i = 0; i < literals.size(); ++i) {
        std::fill_n(all, kShapRows, RowMask{0xffff});
        for (const Condition& c : paths.conditions_of(literals[i]))
          simd::shap().narrow(masks.data() + c.test * kShapRows, !c.left, all);
        for (int r = 0; r < kShapRows; ++r) pattern[r] |= static_cast<std::uint64_t>(all[r] & 1U) << i;
      }
      rows[l].insert(rows[l].end(), pattern, pattern + tiles.rows_of(tile));
    }
  }
  BackgroundPatterns result;
  for (auto& of_leaf : rows) {
    result.first.push_back(result.pattern.size());
    std::ranges::sort(of_leaf);
    for (std::size_t begin = 0; begin < n_rows;) {
      std::size_t end = begin;
      while (end < n_rows && of_leaf[end] == of_leaf[begin]) ++end;
      result.pattern.push_back(of_leaf[begin]);
      result.share.push_back(static_cast<double>(end - begin) / static_cast<double>(n_rows));
      begin = end;
    }
  }
  result.first.push_back(result.pattern.size());
  return result;
}

void ShapState::count_background(MatrixView<const double> rows, runtime::CancelToken& token) {
  if (const int longest = longest_path(); longest > static_cast<int>(kMostBackgroundLiterals))
    throw InvalidArgument("interventional SHAP values: got a branch that asks for " + std::to_string(longest) +
                          " different features, expected at most " + std::to_string(kMostBackgroundLiterals) +
                          "; leave out the background data to get path-dependent values");
  ShapTiles tiles(used.size());
  tiles.fill(rows, used, float32_input, token);
  background.resize(trees.size());
  runtime::parallel_for(static_cast<index_t>(trees.size()), 1, token, [&](index_t, index_t begin, index_t end) {
    for (index_t t = begin; t < end; ++t)
      background[static_cast<std::size_t>(t)] = patterns_of(trees[static_cast<std::size_t>(t)], tiles);
  });
}

}  // namespace mlwright::tree
