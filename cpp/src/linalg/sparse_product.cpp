#include "mlwright/linalg/sparse_product.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mlwright/base/checked.hpp"
#include "mlwright/linalg/design.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "simd/sparse_product.hpp"

namespace mlwright::linalg {
namespace {

constexpr index_t kRows = 256;  // of a chunk: rows differ in length
constexpr index_t kStrip = 32;  // columns: four cache lines of a row

struct Entries {  // of the rows of a chunk
  std::vector<double> value;
  std::vector<index_t> row;
};

template <class T, class Index>
void check(const Csr<T, Index>& a) {
  const CsrDesign<T, Index> checked(a.indptr, a.indices, a.data, a.cols);
  for (const Index j : a.indices.first(static_cast<std::size_t>(a.indptr.back())))
    if (static_cast<index_t>(j) < 0 || static_cast<index_t>(j) >= a.cols)
      throw InvalidArgument("CSR matrix: got column index " + std::to_string(j) + ", expected 0 <= index < " +
                            std::to_string(a.cols) + "; see its check_format()");
}

// Rows of out, `stride` numbers apart, = A b.
template <class T, class Index>
void multiply(const Csr<T, Index>& a, const double* b, index_t width, double* out, index_t stride, runtime::CancelToken& token) {
  runtime::PerWorker<Entries> scratch([] { return Entries(); });
  runtime::parallel_for(a.rows(), kRows, token, [&](index_t, index_t begin, index_t end) {
    Entries& mine = scratch.local();
    const auto at = [&](index_t r) { return static_cast<std::ptrdiff_t>(a.indptr[static_cast<std::size_t>(r)]); };
    const auto first = at(begin), last = at(end);
    mine.value.assign(a.data.begin() + first, a.data.begin() + last);
    mine.row.assign(a.indices.begin() + first, a.indices.begin() + last);
    for (index_t r = begin; r < end; ++r)
      simd::sparse_product().times(mine.value.data() + (at(r) - first), mine.row.data() + (at(r) - first), at(r + 1) - at(r),
                                   last - at(r), b, width, out + r * stride);
  });
}

}  // namespace

template <class T, class Index>
void sparse_product(const Csr<T, Index>& a, const double* b, index_t width, double* out, runtime::CancelToken& token) {
  check(a);
  multiply(a, b, width, out, width, token);
}

template <class T, class Index>
void sparse_gram_product(const Csr<T, Index>& a, const Csr<T, Index>& transposed, const double* b, index_t width, double* out,
                         runtime::CancelToken& token) {
  check(a);
  check(transposed);
  if (transposed.rows() != a.cols || transposed.cols != a.rows())
    throw InvalidArgument("sparse Gram product: the second matrix is not of the shape of the first, transposed");
  const auto from = std::make_unique_for_overwrite<double[]>(static_cast<std::size_t>(checked_mul(a.cols, kStrip, "strip")));
  const auto middle = std::make_unique_for_overwrite<double[]>(static_cast<std::size_t>(checked_mul(a.rows(), kStrip, "strip")));
  for (index_t k = 0; k < width; k += kStrip) {
    const index_t strip = std::min(kStrip, width - k);
    runtime::parallel_for(a.cols, 16 * kRows, token, [&](index_t, index_t begin, index_t end) {
      for (index_t r = begin; r < end; ++r) std::copy_n(b + r * width + k, strip, from.get() + r * strip);
    });
    multiply(a, from.get(), strip, middle.get(), strip, token);
    multiply(transposed, middle.get(), strip, out + k, width, token);
  }
}

#define MLWRIGHT_SPARSE_PRODUCT(T, Index)                                                                              \
  template void sparse_product<T, Index>(const Csr<T, Index>&, const double*, index_t, double*, runtime::CancelToken&); \
  template void sparse_gram_product<T, Index>(const Csr<T, Index>&, const Csr<T, Index>&, const double*, index_t, double*, \
                                              runtime::CancelToken&);
MLWRIGHT_SPARSE_PRODUCT(double, std::int32_t)
MLWRIGHT_SPARSE_PRODUCT(double, std::int64_t)
MLWRIGHT_SPARSE_PRODUCT(float, std::int32_t)
MLWRIGHT_SPARSE_PRODUCT(float, std::int64_t)
#undef MLWRIGHT_SPARSE_PRODUCT

}  // namespace mlwright::linalg
