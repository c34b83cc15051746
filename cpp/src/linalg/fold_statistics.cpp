#include "mlwright/linalg/fold_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "mlwright/base/error.hpp"
#include "mlwright/linalg/gram.hpp"
#include "simd/gram.hpp"

namespace mlwright::linalg {
namespace {

using simd::kBlockRows;
using simd::kGroup;

constexpr index_t kSampleRows = 256;
constexpr double kMostCancellation = 1e4;  // of (sum of squares of the means) over (sum of squares about the mean)
constexpr int kLargestExponent = 1000;     // 2^±1000 and its reciprocal are normal numbers

struct Frame {  // the columns' shift and scale, the column of ones included
  std::vector<double> shift, scale;
  Affine affine() const { return {shift.data(), scale.data(), nullptr}; }
};

double power_of_two_near_reciprocal(double magnitude) {
  if (!(magnitude > 0.0) || !std::isfinite(magnitude)) return 1.0;
  return std::ldexp(1.0, -std::clamp(std::ilogb(magnitude), -kLargestExponent, kLargestExponent));
}

// Shift and scale from evenly spaced rows. Means are taken about the first row, so constant columns get their value.
Frame frame_of_sample(const Augmented& raw) {
  const index_t n = raw.rows(), q = raw.cols(), step = std::max<index_t>(1, n / kSampleRows);
  const index_t samples = std::min(n, kSampleRows);
  const auto width = static_cast<std::size_t>(raw.padded());
  std::vector<double> block(width * kBlockRows, 0.0), first(width), sum(width, 0.0), most(width, 0.0);
  const index_t at_once = step == 1 ? kBlockRows : 1;
  for (index_t k = 0; k < samples; k += at_once) {
    const index_t rows = std::min(at_once, samples - k);
    raw.pack(k * step, rows, block.data());
    for (index_t j = 0; j < q; ++j) {
      const auto column = static_cast<std::size_t>(j);
      const double* in = block.data() + j / kGroup * kBlockRows * kGroup + j % kGroup;
      if (k == 0) first[column] = in[0];
      for (index_t r = 0; r < rows; ++r) {
        const double distance = in[r * kGroup] - first[column];
        sum[column] += distance;
        most[column] = std::max(most[column], std::fabs(distance));
      }
    }
  }
  Frame frame{std::vector<double>(width, 0.0), std::vector<double>(width, 1.0)};
  for (index_t j = 0; j + 1 < q; ++j) {
    const auto column = static_cast<std::size_t>(j);
    const double shift = first[column] + sum[column] / static_cast<double>(std::max<index_t>(1, samples));
    frame.shift[column] = std::isfinite(shift) ? shift : 0.0;
    frame.scale[column] = power_of_two_near_reciprocal(most[column]);
  }
  return frame;
}

// The Gram about the frame's shift becomes weight, mean and scatter about the mean.
FoldStatistics centred(const std::vector<double>& gram, index_t width, index_t q, const Frame& frame) {
  const auto at = [&](index_t i, index_t j) { return gram[static_cast<std::size_t>(i * width + j)]; };
  FoldStatistics stats;
  stats.weight = at(q, q);
  const auto size = static_cast<std::size_t>(q);
  stats.mean.resize(size);
  stats.scale.assign(frame.scale.begin(), frame.scale.begin() + q);
  stats.scatter.resize(size * size);
  const double per_weight = stats.weight > 0.0 ? 1.0 / stats.weight : 0.0;
  for (index_t j = 0; j < q; ++j) {
    const auto column = static_cast<std::size_t>(j);
    stats.mean[column] = frame.shift[column] + at(q, j) * per_weight / frame.scale[column];
    for (index_t i = 0; i < q; ++i)
      stats.scatter[column * size + static_cast<std::size_t>(i)] = at(j, i) - at(q, j) * at(q, i) * per_weight;
    double& spread = stats.scatter[column * size + column];
    spread = std::max(spread, 0.0);
  }
  return stats;
}

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
