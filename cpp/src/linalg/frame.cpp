#include "linalg/frame.hpp"

#include <algorithm>
#include <cmath>

#include "simd/gram.hpp"

namespace mlwright::linalg {
namespace {

using simd::kBlockRows;
using simd::kGroup;

constexpr index_t kSampleRows = 256;
constexpr int kLargestExponent = 1000;  // 2^±1000 and its reciprocal are normal numbers

}  // namespace

double power_of_two_near_reciprocal(double magnitude) {
  if (!(magnitude > 0.0) || !std::isfinite(magnitude)) return 1.0;
  return std::ldexp(1.0, -std::clamp(std::ilogb(magnitude), -kLargestExponent, kLargestExponent));
}

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

}  // namespace mlwright::linalg
