// What an explainer keeps of a forest: its paths, the patterns of the background, and how values are worked off.
#pragma once

#include <cstdint>
#include <vector>

#include "mlwright/runtime/cancel.hpp"
#include "mlwright/tree/used_features.hpp"
#include "simd/shap.hpp"
#include "tree/shap_games.hpp"
#include "tree/shap_paths.hpp"
#include "tree/shap_plan.hpp"
#include "tree/shap_tiles.hpp"

namespace mlwright::tree {

struct ShapState {
  index_t n_features = 0, n_outputs = 1;
  bool float32_input = false;
  std::vector<TreePaths> trees;
  std::vector<BackgroundPatterns> background;  // empty, or one a tree
  std::vector<ShapPlan> value_plans;
  std::vector<std::uint32_t> set_words;
  UsedFeatures features;           // that tests ask for
  std::vector<std::int32_t> used;  // their numbers
  Quadrature quadrature{1};
  const BackgroundPatterns* background_of(std::size_t tree) const noexcept {
    return background.empty() ? nullptr : &background[tree];
  }
  void decide(const PathTest& test, const ShapTiles& tiles, index_t tile, simd::RowMask* mask) const;
  void find_used();
  void count_background(MatrixView<const double> rows, runtime::CancelToken& token);
  BackgroundPatterns patterns_of(const TreePaths& paths, const ShapTiles& tiles) const;
  std::vector<ShapPlan> plans(ShapTarget target, runtime::CancelToken& token) const;
  int longest_path() const;
};

}  // namespace mlwright::tree
