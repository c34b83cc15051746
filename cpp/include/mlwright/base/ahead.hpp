// Memory that will be read next, so that it can be asked for while something else is computed.
#pragma once

#include "mlwright/base/view.hpp"

namespace mlwright {

struct Ahead {  // `runs` runs of `bytes` bytes, `stride` bytes apart; none: nothing is known
  const char* data = nullptr;
  index_t bytes = 0, stride = 0, runs = 0;
};

// The elements of a matrix, along the direction in which they lie closer together.
template <class T>
Ahead ahead_of(const MatrixView<T>& x) {
  const index_t size = sizeof(T);
  const char* data = reinterpret_cast<const char*>(x.data);
  if (x.col_stride == 1 && x.row_stride == x.cols) return {data, x.rows * x.cols * size, 0, 1};
  if (x.col_stride == 1) return {data, x.cols * size, x.row_stride * size, x.rows};
  if (x.row_stride == 1) return {data, x.rows * size, x.col_stride * size, x.cols};
  return {};
}

}  // namespace mlwright
