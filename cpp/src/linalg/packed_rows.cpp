#include "linalg/row_sums.hpp"
#include "mlwright/linalg/gram.hpp"
#include "mlwright/linalg/row_blocks.hpp"
#include "simd/glm.hpp"

namespace mlwright::linalg {
namespace {

using simd::kGroup;
constexpr index_t kStream = kBlockRows * kGroup;
constexpr index_t kFewGroups = 64;  // a Gram of 512 columns fits the second-level cache

// Scratch: the packed block, one group for every eight columns of factors, and a weighted copy of the block.
class PackedRows final : public RowBlocks {
 public:
  PackedRows(const Design& x, std::span<const double> shift, std::span<const double> scale) : x_(x) {
    shift_.assign(static_cast<std::size_t>(padded()), 0.0);
    scale_.assign(static_cast<std::size_t>(padded()), 1.0);
    std::copy(shift.begin(), shift.end(), shift_.begin());
    std::copy(scale.begin(), scale.end(), scale_.begin());
  }
  index_t rows() const noexcept override { return x_.rows(); }
  index_t cols() const noexcept override { return x_.cols(); }
  index_t scratch_size(index_t width) const noexcept override { return (2 * groups() + width / kGroup) * kStream; }
  index_t work_per_row() const noexcept override { return padded(); }

  void prepare(std::span<const double> coef, index_t width, double* raw, double* start) const override {
    std::copy(coef.begin(), coef.end(), raw);
    std::fill_n(start, std::max<index_t>(width, 1), 0.0);
  }
  void load(index_t begin, index_t rows, double* scratch) const override { x_.pack(begin, rows, affine(), scratch); }
  void project(index_t, index_t rows, const double* scratch, const double* raw, double start, double* out) const override {
    simd::gram().project(scratch, raw, rows, groups(), start, out, 1);
  }
  void accumulate(index_t, index_t rows, const double* scratch, const double* factor, double* sum) const override {
    simd::gram().accumulate(scratch, factor, rows, groups(), sum);
  }
  void project_many(index_t, index_t rows, const double* scratch, const double* raw, index_t width, double* out) const override {
    simd::glm().project_many(scratch, raw, rows, groups(), width / kGroup, out);
  }
  void accumulate_many(index_t, index_t rows, double* scratch, const double* factor, index_t width, double* sum) const override {
    double* packed = scratch + groups() * kStream;
    for (index_t k = 0; k < width; ++k)
      for (index_t r = 0; r < rows; ++r) packed[k / kGroup * kStream + r * kGroup + k % kGroup] = factor[r * width + k];
    const index_t first = groups(), last = groups() + width / kGroup;
    simd::gram().rank_update(scratch, scratch, rows, first, last, 0, groups(), sum - first * kGroup, width, {});
  }
  void add_squares(index_t, index_t rows, const double* scratch, const double* factor, double* sum) const override {
    for (index_t j = 0; j < padded(); ++j)
      for (index_t r = 0; r < rows; ++r) {
        const auto at = static_cast<std::size_t>(j);
        const double x = scratch[j / kGroup * kStream + r * kGroup + j % kGroup] / scale_[at] + shift_[at];
        sum[j] += x * x * factor[r];
      }
  }
  void settle(double*, index_t, const double*) const override {}

  bool gram_in_cache() const noexcept override { return groups() <= kFewGroups; }
  void add_gram(index_t, index_t rows, double* scratch, const double* h, double* gram) const override {
    double* weighted = scratch + groups() * kStream;
    simd::gram().weigh(scratch, h, rows, groups(), weighted);
    simd::gram().rank_update(scratch, weighted, rows, 0, groups(), 0, groups(), gram, padded(), {});
  }
  std::vector<double> gram(const double* h, runtime::CancelToken& token) const override {
    return weighted_gram({x_, {nullptr, x_.rows(), 0, 0, 0}, false, affine()}, h, token);
  }

 private:
  index_t groups() const noexcept { return padded() / kGroup; }
  Affine affine() const noexcept { return {shift_.data(), scale_.data(), nullptr}; }
  const Design& x_;
  std::vector<double> shift_, scale_;
};

}  // namespace

std::unique_ptr<RowBlocks> packed_rows(const Design& x, std::span<const double> shift, std::span<const double> scale) {
  return std::make_unique<PackedRows>(x, shift, scale);
}

}  // namespace mlwright::linalg
