// Views of memory that somebody else owns: a strided matrix of any layout, read-only or not.
//
// Vectors are std::span; a matrix is pointer, shape and two strides counted in elements, so C order, Fortran order,
// sliced and broadcast arrays are one type. Copying a view copies no element.
#pragma once

#include <cstdint>
#include <span>

namespace mlwright {

using index_t = std::int64_t;

template <class T>
struct MatrixView {
  T* data = nullptr;
  index_t rows = 0;
  index_t cols = 0;
  index_t row_stride = 0;  // elements from (i, j) to (i + 1, j)
  index_t col_stride = 0;  // elements from (i, j) to (i, j + 1)

  T& operator()(index_t i, index_t j) const noexcept { return data[i * row_stride + j * col_stride]; }
  bool row_major() const noexcept { return col_stride == 1; }
  MatrixView row_block(index_t begin, index_t end) const noexcept {
    return {data + begin * row_stride, end - begin, cols, row_stride, col_stride};
  }
  operator MatrixView<const T>() const noexcept { return {data, rows, cols, row_stride, col_stride}; }
};

}  // namespace mlwright
