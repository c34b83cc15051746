#include "mlwright/linalg/column_moments.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/row_sums.hpp"
#include "simd/moments.hpp"

namespace mlwright::linalg {
namespace {

using simd::kGroup;

constexpr index_t kStream = kBlockRows * kGroup;
constexpr index_t kElements = 1 << 16;  // of a chunk of standardise()

// Three rows of `width` numbers: weight, mean, scatter.
void merge(double* into, const double* other, index_t width) {
  double *weight = into, *mean = into + width, *scatter = into + 2 * width;
  for (index_t j = 0; j < width; ++j) {
    const double w = other[j], total = weight[j] + w;
    if (!(w > 0.0)) continue;
    const double distance = other[width + j] - mean[j], share = w / total;
    scatter[j] += other[2 * width + j] + distance * distance * (weight[j] * share);
    mean[j] = weight[j] > 0.0 ? mean[j] + distance * share : other[width + j];
    weight[j] = total;
  }
}

template <class T, class Map>
void map_entries(MatrixView<const T> x, MatrixView<T> out, Map&& map, runtime::CancelToken& token) {
  const index_t grain = std::max<index_t>(1, kElements / std::max<index_t>(1, x.cols));
  const bool by_columns = out.col_stride != 1;
  runtime::parallel_for(x.rows, grain, token, [&](index_t, index_t begin, index_t end) {
    if (by_columns) {
      for (index_t j = 0; j < x.cols; ++j)
        for (index_t r = begin; r < end; ++r) out(r, j) = map(x(r, j), j);
      return;
    }
    for (index_t r = begin; r < end; ++r) {
      T* to = &out(r, 0);
      const T* from = &x(r, 0);
      if (x.col_stride == 1)
        for (index_t j = 0; j < x.cols; ++j) to[j] = map(from[j], j);
      else
        for (index_t j = 0; j < x.cols; ++j) to[j] = map(from[j * x.col_stride], j);
    }
  });
}

}  // namespace

ColumnMoments column_moments(const Design& x, const double* w, runtime::CancelToken& token) {
  const index_t n = x.rows(), p = x.cols(), groups = runtime::n_chunks(p, kGroup), width = groups * kGroup, size = 3 * width;
  std::vector<double> shift(static_cast<std::size_t>(width), 0.0);
  const std::vector<double> scale(static_cast<std::size_t>(width), 1.0);
  Scratch scratch(groups * kStream + size);
  Buffer total = zeros(size);
  const auto add_rows = [&](double* sum, index_t begin, index_t end) {
    double* block = scratch.mine();
    double* part = block + groups * kStream;
    for_blocks(begin, end, [&](index_t r, index_t rows) {
      x.pack(r, rows, {shift.data(), scale.data(), nullptr}, block);
      simd::moments().of_block(block, w == nullptr ? nullptr : w + r, rows, groups, part, part + width, part + 2 * width);
      merge(sum, part, width);
    });
  };
  // Columns are summed about the means of the first rows, so that means of blocks differ by little.
  runtime::parallel_for(1, 1, token, [&](index_t, index_t, index_t) { add_rows(total.get(), 0, std::min(n, kBlockRows)); });
  std::transform(total.get() + width, total.get() + 2 * width, shift.begin(),
                 [](double mean) { return std::isfinite(mean) ? mean : 0.0; });
  std::fill_n(total.get(), size, 0.0);
  runtime::ordered_reduce(
      n, row_grain(n, 8 * width), token, [&] { return zeros(size); },
      [&](Buffer& sum, index_t begin, index_t end) {
        std::fill_n(sum.get(), size, 0.0);
        add_rows(sum.get(), begin, end);
      },
      [&](const Buffer& sum) { merge(total.get(), sum.get(), width); });
  double* t = total.get();
  for (index_t j = 0; j < width; ++j)
    if (t[j] > 0.0) t[width + j] += shift[static_cast<std::size_t>(j)];
  return {{t, t + p}, {t + width, t + width + p}, {t + 2 * width, t + 2 * width + p}};
}

template <class T>
void standardise(MatrixView<const T> x, const T* shift, const T* scale, bool back, MatrixView<T> out,
                 runtime::CancelToken& token) {
  const std::vector<T> zero(shift == nullptr ? static_cast<std::size_t>(x.cols) : 0, T{0});
  const T* c = shift == nullptr ? zero.data() : shift;
  if (scale == nullptr && back) return map_entries(x, out, [c](T v, index_t j) { return v + c[j]; }, token);
  if (scale == nullptr) return map_entries(x, out, [c](T v, index_t j) { return v - c[j]; }, token);
  if (back) return map_entries(x, out, [c, scale](T v, index_t j) { return v * scale[j] + c[j]; }, token);
  map_entries(x, out, [c, scale](T v, index_t j) { return (v - c[j]) / scale[j]; }, token);
}

template void standardise<double>(MatrixView<const double>, const double*, const double*, bool, MatrixView<double>, runtime::CancelToken&);
template void standardise<float>(MatrixView<const float>, const float*, const float*, bool, MatrixView<float>, runtime::CancelToken&);

}  // namespace mlwright::linalg
