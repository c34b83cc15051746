// Features of many levels as columns ordered by the target: every level's share in the first Newton step, cross-fitted.
//
// With R = sum of g - m h over some rows (m the mean gradient of all rows that have a level) and H = sum of h, the effect
// of level c is estimated as -R_c / (H_c + lambda). A row sees the estimate of its level made without the rows of its own
// fold, so that no row's target is in its own value; prediction sees the one made from all rows. lambda = sigma^2 / tau^2
// is the ratio of noise to variance between levels: products of sums of different folds have no noise in their mean, so
//   tau^2   = sum_c w_c (R_c^2 - sum_f R_cf^2) / sum_c w_c (H_c^2 - sum_f H_cf^2),  w_c = 1 / (H_c + lambda)^2,
//   sigma^2 = (sum_cf R_cf^2 - tau^2 sum_cf H_cf^2) / sum_cf H_cf,
// iterated from lambda = the Hessian of ten rows. Where levels differ no more than chance lets them, all get one code.
// Values become at most kTargetCodes codes, as many rows each as equal values allow.
//
// O(n + K F log(K F)) a column for K levels and F folds; columns in parallel. Sums run in the order of rows: same bits for
// any threads and SIMD level. Codes do not depend on how levels are numbered, but for the rounding of sums over levels.
// References: Micci-Barreca, SIGKDD Explorations 3 (2001), 27-32; Searle, Casella, McCulloch, Variance Components (1992).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::tree {

inline constexpr int kTargetCodes = 254;
inline constexpr std::uint8_t kMissingTargetCode = 255;

// One column: the code of each row, and of each level at prediction.
struct TargetCodes {
  std::vector<std::uint8_t> rows, levels;
};

// The gradients of one output over all rows.
struct FirstStep {
  std::span<const double> g, h;
};

// level[q]: of each row, -1 where missing, below n_levels[q]. fold: of each row, below n_folds. The column of feature q and output k is q * outputs + k.
std::vector<TargetCodes> target_codes(std::span<const std::span<const std::int32_t>> level,
                                      std::span<const std::int64_t> n_levels, std::span<const FirstStep> outputs,
                                      std::span<const std::uint8_t> fold, int n_folds, runtime::CancelToken& token);

}  // namespace mlwright::tree
