#include "linalg/row_sums.hpp"
#include "mlwright/base/buffer.hpp"
#include "mlwright/linalg/gram.hpp"
#include "mlwright/linalg/row_blocks.hpp"
#include "simd/glm.hpp"

namespace mlwright::linalg {
namespace {

using simd::kGroup;
constexpr index_t kStream = kBlockRows * kGroup;
constexpr index_t kFewGroups = 64;  // a Gram of 512 columns fits the second-level cache
constexpr index_t kMostKept = index_t{1} << 21;  // doubles that stay in the third-level cache

// Scratch: the packed block (unless all blocks are kept), then one group for every eight columns of factors or a weighted copy
// of the block.
class PackedRows final : public RowBlocks {
 public:
  PackedRows(const Design& x, std::span<const double> shift, std::span<const double> scale, bool keeps) : x_(x) {
    shift_.assign(static_cast<std::size_t>(padded()), 0.0);
    scale_.assign(static_cast<std::size_t>(padded()), 1.0);
    std::copy(shift.begin(), shift.end(), shift_.begin());
    std::copy(scale.begin(), scale.end(), scale_.begin());
    if (keeps && n_blocks() * block_size() <= kMostKept) keep();
  }
  index_t rows() const noexcept override { return x_.rows(); }
  index_t cols() const noexcept override { return x_.cols(); }
  index_t scratch_size(index_t width, bool gram) const noexcept override {
    return (kept_.empty() ? block_size() : 0) + width / kGroup * kStream + (gram ? block_size() : 0);
  }
  index_t work_per_row() const noexcept override { return padded(); }

  void prepare(std::span<const double> coef, index_t width, double* raw, double* start) const override {
    std::copy(coef.begin(), coef.end(), raw);
    std::fill_n(start, std::max<index_t>(width, 1), 0.0);
  }
  void load(index_t begin, index_t rows, double* scratch) const override {
    if (kept_.empty()) x_.pack(begin, rows, affine(), scratch);
  }
  void project(index_t begin, index_t rows, const double* scratch, const double* raw, double start, double* out) const override {
    simd::gram().project(block(begin, scratch), raw, rows, groups(), start, out, 1);
  }
  void accumulate(index_t begin, index_t rows, const double* scratch, const double* factor, double* sum) const override {
    simd::gram().accumulate(block(begin, scratch), factor, rows, groups(), sum);
  }
  void project_many(index_t begin, index_t rows, const double* scratch, const double* raw, index_t width, double* out) const override {
    simd::glm().project_many(block(begin, scratch), raw, rows, groups(), width / kGroup, out);
  }
  void accumulate_many(index_t begin, index_t rows, double* scratch, const double* factor, index_t width, double* sum) const override {
    double* packed = beyond(scratch);
    for (index_t k = 0; k < width; ++k)
      for (index_t r = 0; r < rows; ++r) packed[k / kGroup * kStream + r * kGroup + k % kGroup] = factor[r * width + k];
    const index_t first = groups(), last = groups() + width / kGroup;  // as if they followed the block: all of it is below them
    simd::gram().rank_update(packed - first * kStream, block(begin, scratch), rows, first, last, 0, first, sum - first * kGroup,
                             width, {});
  }
  void add_squares(index_t begin, index_t rows, const double* scratch, const double* factor, double* sum) const override {
    const double* z = block(begin, scratch);
    for (index_t j = 0; j < padded(); ++j)
      for (index_t r = 0; r < rows; ++r) {
        const auto at = static_cast<std::size_t>(j);
        const double x = z[j / kGroup * kStream + r * kGroup + j % kGroup] / scale_[at] + shift_[at];
        sum[j] += x * x * factor[r];
      }
  }
  void settle(double*, index_t, const double*) const override {}

  bool gram_in_cache() const noexcept override { return groups() <= kFewGroups; }
  void add_gram(index_t begin, index_t rows, double* scratch, const double* h, double* gram) const override {
    const double* z = block(begin, scratch);
    double* weighted = beyond(scratch);
    simd::gram().weigh(z, h, rows, groups(), weighted);
    simd::gram().rank_update(z, weighted, rows, 0, groups(), 0, groups(), gram, padded(), {});
  }
  std::vector<double> gram(const double* h, runtime::CancelToken& token) const override {
    return weighted_gram({x_, {nullptr, x_.rows(), 0, 0, 0}, false, affine()}, h, token);
  }

 private:
  index_t groups() const noexcept { return padded() / kGroup; }
  index_t block_size() const noexcept { return groups() * kStream; }
  index_t n_blocks() const noexcept { return (rows() + kBlockRows - 1) / kBlockRows; }
  void keep() {
    kept_ = mlwright::Buffer<double>(static_cast<std::size_t>(n_blocks() * block_size()));
    std::fill(kept_.begin(), kept_.end(), 0.0);
    for_blocks(0, rows(), [&](index_t r, index_t count) { x_.pack(r, count, affine(), kept_.data() + r / kBlockRows * block_size()); });
  }
  // Blocks begin where those of the whole table do.
  const double* block(index_t begin, const double* scratch) const noexcept {
    return kept_.empty() ? scratch : kept_.data() + begin / kBlockRows * block_size();
  }
  double* beyond(double* scratch) const noexcept { return kept_.empty() ? scratch + block_size() : scratch; }
  Affine affine() const noexcept { return {shift_.data(), scale_.data(), nullptr}; }
  const Design& x_;
  std::vector<double> shift_, scale_;
  mlwright::Buffer<double> kept_;  // all blocks, one after the other; a vector across two lines of the cache is read twice
};

}  // namespace

std::unique_ptr<RowBlocks> packed_rows(const Design& x, std::span<const double> shift, std::span<const double> scale,
                                       bool keeps) {
  return std::make_unique<PackedRows>(x, shift, scale, keeps);
}

}  // namespace mlwright::linalg
