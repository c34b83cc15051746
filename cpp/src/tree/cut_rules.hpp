// The rules of cuts as the kernels take them.
#pragma once

#include "mlwright/tree/split.hpp"
#include "simd/split.hpp"

namespace mlwright::tree {

inline simd::CutRules cut_rules(const FixedPoint& fixed, const SplitRules& rules) noexcept {
  return {fixed.count_bits, fixed.g_unit(), fixed.h_unit(), rules.l1, rules.l2, rules.min_hessian, rules.min_count};
}

}  // namespace mlwright::tree
