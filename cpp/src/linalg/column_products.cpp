#include "mlwright/linalg/column_products.hpp"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "simd/products.hpp"

namespace mlwright::linalg {
namespace {

constexpr index_t kColumns = 64;  // of a chunk, and of what is packed at once
constexpr index_t kRows = 2048;   // of a few vectors stay in the second-level cache

// Columns [first, first + columns) of rows [begin, begin + rows), one after the other.
template <class T>
void pack(const MatrixView<const T>& x, index_t first, index_t columns, index_t begin, index_t rows, double* out) {
  if (x.row_stride == 1 || x.col_stride != 1) {
    for (index_t j = 0; j < columns; ++j)
      for (index_t i = 0; i < rows; ++i) out[j * rows + i] = static_cast<double>(x(begin + i, first + j));
    return;
  }
  for (index_t i = 0; i < rows; ++i) {
    const T* row = &x(begin + i, first);
    for (index_t j = 0; j < columns; ++j) out[j * rows + i] = static_cast<double>(row[j]);
  }
}

}  // namespace

template <class T>
void column_products(MatrixView<const T> x, const double* r, index_t vectors, double* out, runtime::CancelToken& token) {
  const auto add = simd::products().add;
  const bool as_it_is = std::is_same_v<T, double> && x.row_stride == 1;
  runtime::PerWorker<std::vector<double>> scratch([] { return std::vector<double>(); });
  runtime::parallel_for(x.cols, kColumns, token, [&](index_t, index_t first, index_t end) {
    std::fill(out + first * vectors, out + end * vectors, 0.0);
    for (index_t begin = 0; begin < x.rows; begin += kRows) {
      const index_t rows = std::min(kRows, x.rows - begin);
      const double* columns = nullptr;
      index_t stride = rows;
      if constexpr (std::is_same_v<T, double>) {
        if (as_it_is) {
          columns = &x(begin, first);
          stride = x.col_stride;
        }
      }
      if (!as_it_is) {
        auto& packed = scratch.local();
        packed.resize(static_cast<std::size_t>(kColumns * kRows));
        pack(x, first, end - first, begin, rows, packed.data());
        columns = packed.data();
      }
      add(columns, stride, end - first, r + begin, x.rows, vectors, rows, out + first * vectors, vectors);
    }
  });
}

template void column_products<double>(MatrixView<const double>, const double*, index_t, double*, runtime::CancelToken&);
template void column_products<float>(MatrixView<const float>, const double*, index_t, double*, runtime::CancelToken&);

void quadratic_forms(const double* gram, index_t p, const double* b, index_t n, double* out, runtime::CancelToken& token) {
  constexpr index_t kVectors = 4;  // of a chunk; neighbours of a path have much of their support in common
  runtime::PerWorker<std::vector<double>> scratch([&] { return std::vector<double>(static_cast<std::size_t>(kVectors)); });
  runtime::parallel_for(n, kVectors, token, [&](index_t, index_t begin, index_t end) {
    auto& row = scratch.local();
    std::fill(out + begin, out + end, 0.0);
    for (index_t j = 0; j < p; ++j) {
      bool used = false;
      for (index_t i = begin; i < end; ++i) used = used || b[i * p + j] != 0.0;
      if (!used) continue;
      std::fill(row.begin(), row.end(), 0.0);
      simd::products().add(gram + j * p, p, 1, b + begin * p, p, end - begin, p, row.data(), kVectors);
      for (index_t i = begin; i < end; ++i) out[i] += b[i * p + j] * row[static_cast<std::size_t>(i - begin)];
    }
  });
}

}  // namespace mlwright::linalg
