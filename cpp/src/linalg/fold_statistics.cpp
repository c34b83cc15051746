#include "mlwright/linalg/fold_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "mlwright/base/error.hpp"
#include "mlwright/linalg/gram.hpp"
#include "linalg/frame.hpp"
#include "simd/gram.hpp"

namespace mlwright::linalg {
namespace {

using simd::kGroup;

constexpr double kMostCancellation = 1e4;  // of (sum of squares of the means) over (sum of squares about the mean)

FoldStatistics not_finite() {
  FoldStatistics stats;
  stats.finite = false;
  return stats;
}

bool all_finite(const std::vector<double>& gram, index_t width, index_t q) {
  for (index_t j = 0; j <= q; ++j)
    for (index_t i = j; i <= q; ++i)
      if (!std::isfinite(gram[static_cast<std::size_t>(j * width + i)])) return false;
  return true;
}

// Does the frame need another pass? Shifts move to the means just found; scales follow magnitudes measured exactly.
bool improve_shift(const std::vector<double>& gram, index_t width, index_t q, Frame& frame) {
  bool poor = false;
  const double weight = gram[static_cast<std::size_t>(q * width + q)];
  if (!(weight > 0.0)) return false;
  for (index_t j = 0; j < q; ++j) {
    const double sum = gram[static_cast<std::size_t>(q * width + j)];
    const double square = gram[static_cast<std::size_t>(j * width + j)];
    const double of_mean = sum * sum / weight;
    if (of_mean > kMostCancellation * std::max(0.0, square - of_mean) && sum != 0.0) {
      poor = true;
      frame.shift[static_cast<std::size_t>(j)] += sum / weight / frame.scale[static_cast<std::size_t>(j)];
    }
  }
  return poor;
}

bool scale_in_doubt(const std::vector<double>& gram, index_t width, index_t q) {
  const double weight = gram[static_cast<std::size_t>(q * width + q)];
  for (index_t j = 0; j < q; ++j) {
    const double square = gram[static_cast<std::size_t>(j * width + j)];
    if (!(square > weight * 1e-200 && square < weight * 1e200)) return true;
  }
  return false;
}

}  // namespace

FoldStatistics fold_statistics(const Design& x, MatrixView<const double> y, const double* w, runtime::CancelToken& token) {
  const index_t q = x.cols() + y.cols;
  const std::vector<double> zero(static_cast<std::size_t>(q + 1 + kGroup), 0.0), one(zero.size(), 1.0);
  Frame frame = frame_of_sample({x, y, true, {zero.data(), one.data(), nullptr}});
  Augmented z{x, y, true, frame.affine()};
  const index_t width = z.padded();
  std::vector<double> gram = weighted_gram(z, w, token);

  if (!all_finite(gram, width, q) || scale_in_doubt(gram, width, q)) {
    const std::vector<double> most = largest_magnitude(z, token);
    bool changed = false;
    for (index_t j = 0; j < q; ++j) {
      const auto column = static_cast<std::size_t>(j);
      if (!std::isfinite(most[column])) return not_finite();
      const double factor = power_of_two_near_reciprocal(most[column]);
      // Between these the sampled scale does no harm; zero is a column equal to its shift.
      if (most[column] > 0.0 && (factor < 0x1p-300 || factor > 0x1p+300)) {
        frame.scale[column] = power_of_two_near_reciprocal(most[column] / frame.scale[column]);
        changed = true;
      }
    }
    if (changed) {
      z.affine = frame.affine();
      gram = weighted_gram(z, w, token);
    }
    if (!all_finite(gram, width, q)) return not_finite();  // a weight is NaN or infinite
  }
  if (improve_shift(gram, width, q, frame)) {
    z.affine = frame.affine();
    gram = weighted_gram(z, w, token);
  }
  return centred(gram, width, q, frame);
}

std::vector<FoldStatistics> fold_statistics(const Design& x, MatrixView<const double> y, const double* w,
                                            std::span<const std::int64_t> numbers, std::span<const std::int64_t> starts,
                                            runtime::CancelToken& token) {
  std::vector<FoldStatistics> sets;
  for (std::size_t k = 0; k + 1 < starts.size(); ++k) {
    const index_t begin = starts[k], end = starts[k + 1];
    if (begin < 0 || begin >= end || end > y.rows)
      throw InvalidArgument("sets of rows: set " + std::to_string(k) + " goes from " + std::to_string(begin) + " to " +
                            std::to_string(end) + ", expected at least one of " + std::to_string(y.rows) + " rows");
    const SelectedRows rows(x, numbers.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
    const MatrixView<const double> targets{y.data + begin * y.row_stride, end - begin, y.cols, y.row_stride, y.col_stride};
    sets.push_back(fold_statistics(rows, targets, w == nullptr ? nullptr : w + begin, token));
    if (!sets.back().finite) break;
  }
  return sets;
}

}  // namespace mlwright::linalg
