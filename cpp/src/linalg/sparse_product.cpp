#include "mlwright/linalg/sparse_product.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "mlwright/linalg/design.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "simd/sparse_product.hpp"

namespace mlwright::linalg {
namespace {

constexpr index_t kRows = 256;  // of a chunk: rows differ in length

struct Entries {  // of one row
  std::vector<double> value;
  std::vector<index_t> row;
};

}  // namespace

template <class T, class Index>
void sparse_product(std::span<const Index> indptr, std::span<const Index> indices, std::span<const T> data, index_t cols,
                    const double* b, index_t width, double* out, runtime::CancelToken& token) {
  const CsrDesign<T, Index> checked(indptr, indices, data, cols);
  for (const Index j : indices.first(static_cast<std::size_t>(indptr.back())))
    if (static_cast<index_t>(j) < 0 || static_cast<index_t>(j) >= cols)
      throw InvalidArgument("CSR matrix: got column index " + std::to_string(j) + ", expected 0 <= index < " +
                            std::to_string(cols) + "; see its check_format()");
  runtime::PerWorker<Entries> scratch([] { return Entries(); });
  runtime::parallel_for(checked.rows(), kRows, token, [&](index_t, index_t begin, index_t end) {
    Entries& mine = scratch.local();
    for (index_t r = begin; r < end; ++r) {
      const auto first = static_cast<std::size_t>(indptr[static_cast<std::size_t>(r)]);
      const auto count = static_cast<std::size_t>(indptr[static_cast<std::size_t>(r) + 1]) - first;
      mine.value.assign(data.begin() + static_cast<std::ptrdiff_t>(first), data.begin() + static_cast<std::ptrdiff_t>(first + count));
      mine.row.assign(indices.begin() + static_cast<std::ptrdiff_t>(first), indices.begin() + static_cast<std::ptrdiff_t>(first + count));
      simd::sparse_product().times(mine.value.data(), mine.row.data(), static_cast<index_t>(count), b, width, out + r * width);
    }
  });
}

#define MLWRIGHT_SPARSE_PRODUCT(T, Index)                                                                                \
  template void sparse_product<T, Index>(std::span<const Index>, std::span<const Index>, std::span<const T>, index_t, const double*, \
                                         index_t, double*, runtime::CancelToken&);
MLWRIGHT_SPARSE_PRODUCT(double, std::int32_t)
MLWRIGHT_SPARSE_PRODUCT(double, std::int64_t)
MLWRIGHT_SPARSE_PRODUCT(float, std::int32_t)
MLWRIGHT_SPARSE_PRODUCT(float, std::int64_t)
#undef MLWRIGHT_SPARSE_PRODUCT

}  // namespace mlwright::linalg
