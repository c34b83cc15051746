// Fold statistics of float32 rows by products in single precision: twice the arithmetic rate, where the answer allows.
//
// Numbers are centred and multiplied in float, summed over 64 rows in float and from there on in double. A sum of products
// errs by at most 70 roundings of float, 4e-6 of the sum of their sizes; roundings of different blocks average out, whatever
// the numbers are, so that of 50,000 rows it errs by less than 1e-8. Whether that will do is for the caller to ask:
// well-conditioned columns, a target that they do not explain but for rounding.
// Cost: n (p + t)^2 multiply-adds in float; one read of X. Deterministic: the same bits for any layout, number of threads
// and instruction set. Thread-safe.
#pragma once

#include "mlwright/linalg/fold_statistics.hpp"

namespace mlwright::linalg {

// Not `finite` where single precision will not do: a sum that overflows or underflows (a NaN or an infinity, an outlier far
// from what a few rows told, a constant column), or means that would cancel most of it.
FoldStatistics single_statistics(MatrixView<const float> x, MatrixView<const double> y, runtime::CancelToken& token);

}  // namespace mlwright::linalg
