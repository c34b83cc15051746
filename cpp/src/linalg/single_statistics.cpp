#include "mlwright/linalg/single_statistics.hpp"

#include <algorithm>
#include <cmath>

#include "mlwright/base/checked.hpp"
#include "linalg/frame.hpp"
#include "linalg/mirror.hpp"
#include "linalg/row_sums.hpp"
#include "simd/single_gram.hpp"

namespace mlwright::linalg {
namespace {

using runtime::n_chunks;
using simd::kGroup;
using simd::kSingleBlockRows;

constexpr index_t kStream = kSingleBlockRows * kGroup;
constexpr double kSmallestSquare = 1e-20, kLargestSquare = 1e20;  // of a mean one: far from float's limits
constexpr double kMostCancellation = 1.0;  // of (sum of squares of the means) over (sum of squares about the mean)

// The columns (x, y, 1) in a frame, packed a block of rows at a time.
class Columns {
 public:
  Columns(MatrixView<const float> x, MatrixView<const double> y, const Frame& frame)
      : x_(x), y_(y), frame_(frame), shift_(frame.shift.begin(), frame.shift.end()), scale_(frame.scale.begin(), frame.scale.end()) {}

  index_t groups() const { return n_chunks(x_.cols + y_.cols + 1, kGroup); }
  index_t width() const { return groups() * kGroup; }
  Ahead ahead(index_t begin, index_t end) const { return ahead_of(x_.row_block(begin, end)); }

  void pack(index_t begin, index_t rows, float factor, float* block) const {
    simd::single_gram().pack(x_.data + begin * x_.row_stride, x_.row_stride, x_.col_stride, rows, x_.cols, shift_.data(),
                             scale_.data(), factor, block);
    for (index_t k = 0; k < y_.cols; ++k) {
      const auto at = static_cast<std::size_t>(x_.cols + k);
      float* out = column(block, x_.cols + k);
      for (index_t r = 0; r < rows; ++r)
        out[r * kGroup] = static_cast<float>((y_(begin + r, k) - frame_.shift[at]) * frame_.scale[at] * factor);
    }
    float* ones = column(block, x_.cols + y_.cols);
    for (index_t r = 0; r < rows; ++r) ones[r * kGroup] = factor;
  }

 private:
  static float* column(float* block, index_t j) { return block + j / kGroup * kStream + j % kGroup; }

  MatrixView<const float> x_;
  MatrixView<const double> y_;
  const Frame& frame_;
  std::vector<float> shift_, scale_;
};

// Equal numbers round alike: in columns of few values roundings would add up. So every block of rows is multiplied by a
// factor of its own in [1, 2), evenly spread (multiples of the golden ratio), and its sums by the reciprocal of its square.
float factor_of(index_t block) {
  const double turns = static_cast<double>(block % (1 << 20)) * 0.6180339887498949;
  return static_cast<float>(1.0 + (turns - std::floor(turns)));
}

std::vector<double> gram_of(const Columns& z, index_t n, runtime::CancelToken& token) {
  const auto& kernels = simd::single_gram();
  const index_t groups = z.groups(), width = z.width(), size = checked_mul(width, width, "Gram matrix");
  runtime::PerWorker<std::vector<float>> blocks(
      [&] { return std::vector<float>(static_cast<std::size_t>(groups * kStream), 0.0f); });
  return sum_over_rows(n, row_grain(n, size / 4), size, token, [&](double* gram, index_t begin, index_t end) {
    float* block = blocks.local().data();
    for (index_t r = begin; r < end; r += kSingleBlockRows) {
      const index_t next = std::min(end, r + kSingleBlockRows);
      const float factor = factor_of(r / kSingleBlockRows);
      const double unit = 1.0 / (static_cast<double>(factor) * static_cast<double>(factor));
      z.pack(r, next - r, factor, block);
      kernels.rank_update(block, next - r, groups, unit, gram, width, z.ahead(next, std::min(end, next + kSingleBlockRows)));
    }
  });
}

// Are all sums those of finite numbers far from float's limits, about shifts that are near the means? The upper half counts.
bool sound(const std::vector<double>& gram, index_t width, index_t q) {
  const auto at = [&](index_t j, index_t i) { return gram[static_cast<std::size_t>(j * width + i)]; };
  const double weight = at(q, q);
  for (index_t j = 0; j < q; ++j) {
    const double square = at(j, j), sum = at(j, q), of_mean = sum * sum / weight;
    if (!(square > kSmallestSquare * weight && square < kLargestSquare * weight)) return false;
    if (!(of_mean <= kMostCancellation * (square - of_mean))) return false;
    for (index_t i = j; i < q; ++i)
      if (!std::isfinite(at(j, i))) return false;
  }
  return true;
}

}  // namespace

FoldStatistics single_statistics(MatrixView<const float> x, MatrixView<const double> y, runtime::CancelToken& token) {
  const DenseDesign<float> design(x);
  const index_t q = x.cols + y.cols;
  const std::vector<double> zero(static_cast<std::size_t>(q + 1 + kGroup), 0.0), one(zero.size(), 1.0);
  Frame frame = frame_of_sample({design, y, true, {zero.data(), one.data(), nullptr}});
  for (index_t j = 0; j < x.cols; ++j) {
    double& shift = frame.shift[static_cast<std::size_t>(j)];
    shift = static_cast<double>(static_cast<float>(shift));  // what is subtracted
  }
  const Columns z(x, y, frame);
  std::vector<double> gram = gram_of(z, x.rows, token);
  gram[static_cast<std::size_t>(q * z.width() + q)] = static_cast<double>(x.rows);
  if (!sound(gram, z.width(), q)) {
    FoldStatistics none;
    none.finite = false;
    return none;
  }
  mirror(gram, z.width());
  return centred(gram, z.width(), q, frame);
}

}  // namespace mlwright::linalg
