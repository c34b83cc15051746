#include "mlwright/linalg/design.hpp"

#include <cstdint>
#include <string>
#include <type_traits>

#include "mlwright/base/error.hpp"
#include "simd/gram.hpp"

namespace mlwright::linalg {

using simd::kBlockRows;
using simd::kGroup;

template <class T>
void DenseDesign<T>::pack(index_t begin, index_t rows, const Affine& affine, double* block) const {
  const auto& kernels = simd::gram();
  const auto pack_dense = [&] {
    if constexpr (std::is_same_v<T, float>) return kernels.pack_f32;
    else return kernels.pack_f64;
  }();
  const double* row_shift = affine.row_shift == nullptr ? nullptr : affine.row_shift + begin;
  pack_dense(x_.data + begin * x_.row_stride, x_.row_stride, x_.col_stride, rows, x_.cols, 0,
             affine.reads_ahead ? rows : 0, affine.shift, row_shift, affine.scale, block);
}

template <class T, class Index>
CsrDesign<T, Index>::CsrDesign(std::span<const Index> indptr, std::span<const Index> indices, std::span<const T> data,
                               index_t cols)
    : indptr_(indptr), indices_(indices), data_(data), cols_(cols) {
  bool sound = !indptr.empty() && indptr.front() == 0 && indices.size() == data.size() &&
               static_cast<index_t>(indptr.back()) <= static_cast<index_t>(data.size());
  for (std::size_t i = 1; sound && i < indptr.size(); ++i) sound = indptr[i - 1] <= indptr[i];
  if (!sound)
    throw InvalidArgument(
        "CSR matrix: indptr does not rise from 0 to the number of stored entries; expected a valid scipy.sparse matrix; "
        "see its check_format()");
}

template <class T, class Index>
void CsrDesign<T, Index>::pack(index_t begin, index_t rows, const Affine& affine, double* block) const {
  const index_t stream = kBlockRows * kGroup;
  for (index_t j = 0; j < cols_; ++j) {
    double* out = block + (j / kGroup) * stream + j % kGroup;
    for (index_t r = 0; r < rows; ++r) {
      const double extra = affine.row_shift == nullptr ? 0.0 : affine.row_shift[begin + r];
      out[r * kGroup] = (0.0 - affine.shift[j] - extra) * affine.scale[j];
    }
  }
  for (index_t r = 0; r < rows; ++r) {
    const auto row = static_cast<std::size_t>(begin + r);
    for (Index k = indptr_[row]; k < indptr_[row + 1]; ++k) {
      const auto j = static_cast<index_t>(indices_[static_cast<std::size_t>(k)]);
      if (j < 0 || j >= cols_)
        throw InvalidArgument("CSR matrix: got column index " + std::to_string(j) + ", expected 0 <= index < " +
                              std::to_string(cols_) + "; see its check_format()");
      // Scales are powers of two, so adding the scaled entry equals scaling the sum.
      block[(j / kGroup) * stream + r * kGroup + j % kGroup] +=
          static_cast<double>(data_[static_cast<std::size_t>(k)]) * affine.scale[j];
    }
  }
}

template class DenseDesign<double>;
template class DenseDesign<float>;
template class CsrDesign<double, std::int32_t>;
template class CsrDesign<double, std::int64_t>;
template class CsrDesign<float, std::int32_t>;
template class CsrDesign<float, std::int64_t>;

SelectedRows::SelectedRows(const Design& all, std::span<const std::int64_t> numbers) : all_(all), numbers_(numbers) {
  for (const std::int64_t r : numbers)
    if (r < 0 || r >= all.rows())
      throw InvalidArgument("row numbers: got " + std::to_string(r) + ", expected 0 <= number < " +
                            std::to_string(all.rows()));
}

index_t SelectedRows::run(index_t begin, index_t rows) const noexcept {
  const std::int64_t* number = numbers_.data() + begin;
  index_t run = 1;
  while (run < rows && number[run] == number[0] + run) ++run;
  return run;
}

Ahead SelectedRows::ahead(index_t begin, index_t rows) const noexcept {
  if (rows == 0 || run(begin, rows) < rows) return {};
  return all_.ahead(numbers_[static_cast<std::size_t>(begin)], rows);
}

// Runs of rows that follow each other in X too are packed at once.
void SelectedRows::pack(index_t begin, index_t rows, const Affine& affine, double* block) const {
  Affine of_run = affine;
  for (index_t r = 0; r < rows;) {
    const std::int64_t first = numbers_[static_cast<std::size_t>(begin + r)];
    const index_t count = run(begin + r, rows - r);
    if (affine.row_shift != nullptr) of_run.row_shift = affine.row_shift + (begin + r) - first;
    all_.pack(first, count, of_run, block + r * simd::kGroup);
    r += count;
  }
}

}  // namespace mlwright::linalg
