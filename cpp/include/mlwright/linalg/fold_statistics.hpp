// Fold statistics: what least squares, ridge and their Bayesian forms need to know of a set of rows, in one pass.
//
//   weight = sum w,   mean = sum w (x, y) / weight,   scatter = S sum w ((x, y) - mean) ((x, y) - mean)' S
//
// S = diag(scale) holds powers of two that bring every column near one, so that columns of any magnitude between 1e-300
// and 1e300 neither overflow nor vanish when squared. The pass shifts columns by the mean of a few evenly spaced rows;
// where that shift turns out to be poor (more than four digits would cancel) or the scale is, a second pass uses what
// the first one learnt. Sets of rows merge exactly: see mlwright.reference.linalg.merge.
// Cost: n (p + t)^2 multiply-adds; memory: one or a few Gram matrices. Deterministic. Thread-safe.
// Reference: Chan, Golub, LeVeque (1983), Algorithms for computing the sample variance.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/linalg/design.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::linalg {

struct FoldStatistics {
  double weight = 0.0;
  std::vector<double> mean;     // p + t
  std::vector<double> scale;    // p + t
  std::vector<double> scatter;  // (p + t)^2, row-major, symmetric
  bool finite = true;           // false: some entry of x, y or w is NaN or infinite, and nothing else is meant
};

// y is n x t; w may be null (all ones).
FoldStatistics fold_statistics(const Design& x, MatrixView<const double> y, const double* w, runtime::CancelToken& token);

// Of several sets of rows, each read once: set k has the row numbers of x from starts[k] to starts[k + 1]; y and w are in
// the order of `numbers`. Each set has a shift and scale of its own, so a fold far from the others keeps its digits.
std::vector<FoldStatistics> fold_statistics(const Design& x, MatrixView<const double> y, const double* w,
                                            std::span<const std::int64_t> numbers, std::span<const std::int64_t> starts,
                                            runtime::CancelToken& token);

}  // namespace mlwright::linalg
