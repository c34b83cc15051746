// What the trees draw random numbers for: purposes of runtime::stream_id().
#pragma once

#include <cstdint>

namespace mlwright::tree {

enum class Draws : std::uint32_t {
  rows_of_thresholds, features_of_node, features_of_tree, rows_of_tree, cut_of_feature,
  folds_of_target_codes,  // drawn in Python: ensemble/_boosting/columns.py
};

}  // namespace mlwright::tree
