// Rows turned around for the comparisons of Shapley values: tiles of kShapRows rows, feature by feature.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "simd/shap.hpp"

namespace mlwright::tree {

inline constexpr index_t kShapTileGrain = 16;  // tiles of one chunk

// Rounded to float32 where the model says so. Rows past the last repeat it.
class ShapTiles {
 public:
  explicit ShapTiles(std::size_t n_columns) : n_columns_(n_columns) {}

  template <class T>
  void fill(MatrixView<const T> x, std::span<const std::int32_t> used, bool float32, runtime::CancelToken& token) {
    n_rows_ = x.rows;
    data_.resize(static_cast<std::size_t>(n_tiles()) * n_columns_ * simd::kShapRows);
    runtime::parallel_for(n_tiles(), kShapTileGrain, token, [&](index_t, index_t begin, index_t end) {
      for (index_t tile = begin; tile < end; ++tile)
        for (std::size_t u = 0; u < used.size(); ++u) {
          double* column = data_.data() + (static_cast<std::size_t>(tile) * n_columns_ + u) * simd::kShapRows;
          for (index_t r = 0; r < simd::kShapRows; ++r) {
            const double v = static_cast<double>(x(std::min(tile * simd::kShapRows + r, x.rows - 1), used[u]));
            column[r] = float32 ? static_cast<double>(static_cast<float>(v)) : v;
          }
        }
    });
  }

  index_t n_rows() const noexcept { return n_rows_; }
  index_t n_tiles() const noexcept { return (n_rows_ + simd::kShapRows - 1) / simd::kShapRows; }
  int rows_of(index_t tile) const noexcept {
    return static_cast<int>(std::min<index_t>(simd::kShapRows, n_rows_ - tile * simd::kShapRows));
  }
  const double* column(index_t tile, std::size_t u) const noexcept {
    return data_.data() + (static_cast<std::size_t>(tile) * n_columns_ + u) * simd::kShapRows;
  }

 private:
  std::size_t n_columns_;
  index_t n_rows_ = 0;
  std::vector<double> data_;
};

}  // namespace mlwright::tree
