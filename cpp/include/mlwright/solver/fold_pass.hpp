// One read of a design for the fits of a cross-validation, all at once: rows of fold f count in every fit but the f-th.
//
//   eta_f = Z b_f + b0_f + offset,  loss_f = sum over rows of other folds of w l(y, eta_f),  gradient_f = Z' g_f
//
// and the scores of every row by the fit that does not see it. Cost: 2 n p multiply-adds a fold, eight folds for the price of
// the reads of one. Deterministic: the same bits for any number of threads and any instruction set.
#pragma once

#include <cstdint>
#include <vector>

#include "mlwright/solver/glm_pass.hpp"

namespace mlwright::solver {

struct FoldSums {
  index_t width;                 // folds, rounded up to a multiple of eight
  std::vector<double> loss;      // width
  std::vector<double> total_g;   // width
  std::vector<double> gradient;  // padded x width
};

// fold: one a row, in [0, folds), or -1 where a row counts in every fit; coef: padded x width; intercept: width; held_out: one
// a row, NaN for those of no fold.
FoldSums fold_pass(const GlmData& data, const std::int32_t* fold, index_t folds, const double* coef, const double* intercept,
                   double* held_out, runtime::CancelToken& token);

inline index_t fold_width(index_t folds) { return (folds + 7) / 8 * 8; }

}  // namespace mlwright::solver
