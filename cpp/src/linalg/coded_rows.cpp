#include <algorithm>
#include <cstdint>
#include <string>

#include "linalg/row_sums.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/linalg/row_blocks.hpp"
#include "simd/coded.hpp"

namespace mlwright::linalg {
namespace {

using simd::kGroup;
constexpr index_t kStream = kBlockRows * kGroup;
constexpr index_t kFewColumns = 512;  // a Gram of so many fits the second-level cache
constexpr index_t kWideChunks = 4;    // of rows, where each has a Gram beyond it

// The levels come first, one column each, then the numbers, packed as by packed_rows, whose scratch this shares.
class CodedRows final : public RowBlocks {
 public:
  CodedRows(const Design* numbers, MatrixView<const std::int32_t> codes, index_t levels, std::span<const double> shift,
            std::span<const double> scale)
      : codes_(codes), levels_(levels), n_numbers_(numbers == nullptr ? 0 : numbers->cols()) {
    if (numbers == nullptr) return;
    const auto of_numbers = static_cast<std::size_t>(levels);
    numbers_ = packed_rows(*numbers, shift.subspan(of_numbers), scale.subspan(of_numbers));
  }
  index_t rows() const noexcept override { return codes_.rows; }
  index_t cols() const noexcept override { return levels_ + n_numbers_; }
  index_t padded() const noexcept override { return (levels_ + kGroup * groups() + 7) / 8 * 8; }
  index_t scratch_size(index_t width, bool gram) const noexcept override {
    return numbers_ ? numbers_->scratch_size(width, gram) : 1;
  }
  index_t work_per_row() const noexcept override { return codes_.cols + kGroup * groups(); }

  void prepare(std::span<const double> coef, index_t width, double* raw, double* start) const override {
    std::copy(coef.begin(), coef.end(), raw);
    std::fill_n(start, std::max<index_t>(width, 1), 0.0);
  }
  void load(index_t begin, index_t rows, double* scratch) const override {
    if (numbers_) numbers_->load(begin, rows, scratch);
  }
  void project(index_t begin, index_t rows, const double* scratch, const double* raw, double start, double* out) const override {
    if (numbers_) numbers_->project(begin, rows, scratch, raw + levels_, start, out);
    else std::fill_n(out, rows, start);
    for (index_t r = 0; r < rows; ++r)
      for_codes(begin + r, [&](index_t j) { out[r] += raw[j]; });
  }
  void accumulate(index_t begin, index_t rows, const double* scratch, const double* factor, double* sum) const override {
    if (numbers_) numbers_->accumulate(begin, rows, scratch, factor, sum + levels_);
    for (index_t r = 0; r < rows; ++r)
      for_codes(begin + r, [&](index_t j) { sum[j] += factor[r]; });
  }
  void project_many(index_t begin, index_t rows, const double* scratch, const double* raw, index_t width, double* out) const override {
    if (numbers_) numbers_->project_many(begin, rows, scratch, raw + levels_ * width, width, out);
    else std::fill_n(out, rows * width, 0.0);
    for (index_t r = 0; r < rows; ++r)
      for_codes(begin + r, [&](index_t j) {
        for (index_t k = 0; k < width; ++k) out[r * width + k] += raw[j * width + k];
      });
  }
  void accumulate_many(index_t begin, index_t rows, double* scratch, const double* factor, index_t width, double* sum) const override {
    if (numbers_) numbers_->accumulate_many(begin, rows, scratch, factor, width, sum + levels_ * width);
    for (index_t r = 0; r < rows; ++r)
      for_codes(begin + r, [&](index_t j) {
        for (index_t k = 0; k < width; ++k) sum[j * width + k] += factor[r * width + k];
      });
  }
  void add_squares(index_t begin, index_t rows, const double* scratch, const double* factor, double* sum) const override {
    if (numbers_) numbers_->add_squares(begin, rows, scratch, factor, sum + levels_);
    for (index_t r = 0; r < rows; ++r)
      for_codes(begin + r, [&](index_t j) { sum[j] += factor[r]; });
  }
  void settle(double*, index_t, const double*) const override {}

  bool gram_in_cache() const noexcept override { return padded() <= kFewColumns; }
  void add_gram(index_t begin, index_t rows, double* scratch, const double* h, double* gram) const override {
    double* weighted = scratch + groups() * kStream;
    if (numbers_) {
      simd::gram().weigh(scratch, h, rows, groups(), weighted);
      simd::gram().rank_update(scratch, weighted, rows, 0, groups(), 0, groups(), gram + levels_ * (padded() + 1), padded(), {});
    }
    simd::coded().add_gram(codes_.data + begin * codes_.cols, codes_.cols, h, weighted, rows, groups(), levels_, gram, padded());
  }
  std::vector<double> gram(const double* h, runtime::CancelToken& token) const override {
    const index_t n = rows(), width = padded(), chunk = (n + kWideChunks - 1) / kWideChunks;
    const index_t grain = std::max<index_t>(kBlockRows, (chunk + kBlockRows - 1) / kBlockRows * kBlockRows);
    Scratch scratch(scratch_size(0, true));
    auto out = sum_over_rows(n, grain, width * width, token, [&](double* sum, index_t begin, index_t end) {
      double* mine = scratch.mine();
      for_blocks(begin, end, [&](index_t r, index_t count) {
        load(r, count, mine);
        add_gram(r, count, mine, h + r, sum);
      });
    });
    for (index_t j = 0; j < width; ++j)
      for (index_t i = j + 1; i < width; ++i) out[static_cast<std::size_t>(i * width + j)] = out[static_cast<std::size_t>(j * width + i)];
    return out;
  }

 private:
  index_t groups() const noexcept { return (n_numbers_ + kGroup - 1) / kGroup; }
  template <class Visit>
  void for_codes(index_t row, Visit&& visit) const {
    const std::int32_t* own = codes_.data + row * codes_.cols;
    for (index_t k = 0; k < codes_.cols; ++k) visit(own[k]);
  }
  MatrixView<const std::int32_t> codes_;
  index_t levels_, n_numbers_;
  std::unique_ptr<RowBlocks> numbers_;
};

void require_codes(MatrixView<const std::int32_t> codes, std::span<const std::int64_t> ends) {
  for (index_t r = 0; r < codes.rows; ++r) {
    std::int64_t first = 0;
    for (index_t k = 0; k < codes.cols; ++k) {
      const std::int64_t code = codes.data[r * codes.cols + k], end = ends[static_cast<std::size_t>(k)];
      if (code < first || code >= end)
        throw InvalidArgument("codes: row " + std::to_string(r) + " has " + std::to_string(code) + " for feature " + std::to_string(k) +
                              ", expected a column from " + std::to_string(first) + " to " + std::to_string(end - 1));
      first = end;
    }
  }
}

}  // namespace

std::unique_ptr<RowBlocks> coded_rows(const Design* numbers, MatrixView<const std::int32_t> codes, std::span<const std::int64_t> ends,
                                      std::span<const double> shift, std::span<const double> scale) {
  const index_t levels = ends.empty() ? 0 : static_cast<index_t>(ends.back());
  if (static_cast<index_t>(ends.size()) != codes.cols || (numbers != nullptr && numbers->rows() != codes.rows))
    throw InvalidArgument("coded rows: numbers, codes and the ends of their columns do not fit each other");
  for (index_t j = 0; j < levels; ++j)
    if (shift[static_cast<std::size_t>(j)] != 0.0 || scale[static_cast<std::size_t>(j)] != 1.0)
      throw InvalidArgument("coded rows: a level's column is shifted or scaled; expected 0 and 1");
  require_codes(codes, ends);
  return std::make_unique<CodedRows>(numbers, codes, levels, shift, scale);
}

}  // namespace mlwright::linalg
