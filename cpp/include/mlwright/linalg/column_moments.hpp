// Weight, mean and scatter of every column, entries that are NaN left out; and columns brought to mean 0 and unit spread.
//
//   column_moments:  weight_j = sum w,  mean_j = sum w x_j / weight_j,  scatter_j = sum w (x_j - mean_j)^2
//   standardise:     out = (x - shift) / scale, or back: out = x * scale + shift, in the precision of x
//
// Blocks of 128 rows are summed about their own means, less those of the first rows, and merged in the order of the rows, so
// that neither a large mean nor many rows cost digits. One read of X. Deterministic: the same bits for any layout, number of threads and
// instruction set. Thread-safe.
// Reference: Chan, Golub, LeVeque (1983), Algorithms for computing the sample variance, equation 2.1.
#pragma once

#include <vector>

#include "mlwright/linalg/design.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::linalg {

struct ColumnMoments {  // one number a column; 0, 0, 0 for a column without an entry
  std::vector<double> weight, mean, scatter;
};

// w may be null (all ones); none negative. An infinite entry makes the mean of its column NaN or infinite.
ColumnMoments column_moments(const Design& x, const double* w, runtime::CancelToken& token);

// shift and scale (one a column) may be null: 0 and 1. `out` may be x itself.
template <class T>
void standardise(MatrixView<const T> x, const T* shift, const T* scale, bool back, MatrixView<T> out,
                 runtime::CancelToken& token);

}  // namespace mlwright::linalg
