#include <algorithm>
#include <cstdint>
#include <string>

#include "linalg/row_sums.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/linalg/gram.hpp"
#include "mlwright/linalg/row_blocks.hpp"

namespace mlwright::linalg {
namespace {

// z = (x - shift) scale without forming it: products with raw entries, corrected by one number a pass.
template <class T, class Index>
class CsrRows final : public RowBlocks {
 public:
  CsrRows(std::span<const Index> indptr, std::span<const Index> indices, std::span<const T> data, index_t cols,
          std::span<const double> shift, std::span<const double> scale)
      : design_(indptr, indices, data, cols), indptr_(indptr.data()), indices_(indices.data()), data_(data.data()),
        cols_(cols), shift_(shift), scale_(scale) {
    for (const Index j : indices.first(static_cast<std::size_t>(indptr.back())))
      if (static_cast<index_t>(j) < 0 || static_cast<index_t>(j) >= cols)
        throw InvalidArgument("CSR matrix: got column index " + std::to_string(j) + ", expected 0 <= index < " +
                              std::to_string(cols) + "; see its check_format()");
  }
  index_t rows() const noexcept override { return design_.rows(); }
  index_t cols() const noexcept override { return cols_; }
  index_t scratch_size(index_t, bool) const noexcept override { return 1; }
  index_t work_per_row() const noexcept override {
    return 1 + static_cast<index_t>(indptr_[rows()]) / std::max<index_t>(1, rows());
  }

  void prepare(std::span<const double> coef, index_t width, double* raw, double* start) const override {
    const index_t k = std::max<index_t>(width, 1);
    std::fill_n(start, k, 0.0);
    for (index_t j = 0; j < cols_; ++j)
      for (index_t c = 0; c < k; ++c) {
        const double scaled = coef[static_cast<std::size_t>(j * k + c)] * scale_[static_cast<std::size_t>(j)];
        raw[j * k + c] = scaled;
        start[c] -= scaled * shift_[static_cast<std::size_t>(j)];
      }
  }
  void load(index_t, index_t, double*) const override {}
  void project(index_t begin, index_t rows, const double*, const double* raw, double start, double* out) const override {
    for (index_t r = 0; r < rows; ++r) {
      double sum = 0.0;
      for_entries(begin + r, [&](index_t j, double v) { sum += v * raw[j]; });
      out[r] = start + sum;
    }
  }
  void accumulate(index_t begin, index_t rows, const double*, const double* factor, double* sum) const override {
    for (index_t r = 0; r < rows; ++r) {
      const double f = factor[r];
      if (f != 0.0) for_entries(begin + r, [&](index_t j, double v) { sum[j] += v * f; });
    }
  }
  void project_many(index_t begin, index_t rows, const double*, const double* raw, index_t width, double* out) const override {
    for (index_t r = 0; r < rows; ++r) {
      double* to = out + r * width;
      std::fill_n(to, width, 0.0);
      for_entries(begin + r, [&](index_t j, double v) {
        for (index_t k = 0; k < width; ++k) to[k] += v * raw[j * width + k];
      });
    }
  }
  void accumulate_many(index_t begin, index_t rows, double*, const double* factor, index_t width, double* sum) const override {
    for (index_t r = 0; r < rows; ++r)
      for_entries(begin + r, [&](index_t j, double v) {
        for (index_t k = 0; k < width; ++k) sum[j * width + k] += v * factor[r * width + k];
      });
  }
  void add_squares(index_t begin, index_t rows, const double*, const double* factor, double* sum) const override {
    for (index_t r = 0; r < rows; ++r)
      for_entries(begin + r, [&](index_t j, double v) { sum[j] += v * v * factor[r]; });
  }
  void settle(double* sum, index_t width, const double* totals) const override {
    const index_t k = std::max<index_t>(width, 1);
    for (index_t j = 0; j < cols_; ++j)
      for (index_t c = 0; c < k; ++c)
        sum[j * k + c] = (sum[j * k + c] - shift_[static_cast<std::size_t>(j)] * totals[c]) * scale_[static_cast<std::size_t>(j)];
  }

  bool gram_in_cache() const noexcept override { return false; }
  void add_gram(index_t, index_t, double*, const double*, double*) const override {}
  std::vector<double> gram(const double* h, runtime::CancelToken& token) const override {
    return packed_rows(design_, shift_, scale_)->gram(h, token);
  }

 private:
  template <class Visit>
  void for_entries(index_t row, Visit&& visit) const {
    for (Index k = indptr_[row]; k < indptr_[row + 1]; ++k)
      visit(static_cast<index_t>(indices_[k]), static_cast<double>(data_[k]));
  }
  CsrDesign<T, Index> design_;
  const Index *indptr_, *indices_;
  const T* data_;
  index_t cols_;
  std::span<const double> shift_, scale_;
};

}  // namespace

template <class T, class Index>
std::unique_ptr<RowBlocks> csr_rows(std::span<const Index> indptr, std::span<const Index> indices, std::span<const T> data,
                                    index_t cols, std::span<const double> shift, std::span<const double> scale) {
  return std::make_unique<CsrRows<T, Index>>(indptr, indices, data, cols, shift, scale);
}

#define MLWRIGHT_CSR_ROWS(T, Index)                                                                                      \
  template std::unique_ptr<RowBlocks> csr_rows<T, Index>(std::span<const Index>, std::span<const Index>, std::span<const T>, \
                                                         index_t, std::span<const double>, std::span<const double>);
MLWRIGHT_CSR_ROWS(double, std::int32_t)
MLWRIGHT_CSR_ROWS(double, std::int64_t)
MLWRIGHT_CSR_ROWS(float, std::int32_t)
MLWRIGHT_CSR_ROWS(float, std::int64_t)
#undef MLWRIGHT_CSR_ROWS

}  // namespace mlwright::linalg
