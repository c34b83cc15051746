// A sparse matrix times a dense one with a few dozen columns: what randomised decompositions are made of.
//
// Threads take runs of rows; each row's product stays in registers, so B is read once for every stored entry and the result is
// written once. Cost: entries x width multiply-adds. Deterministic: sums go over the entries of a row in their order.
#pragma once

#include <span>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::linalg {

template <class T, class Index>
struct Csr {
  std::span<const Index> indptr, indices;
  std::span<const T> data;
  index_t cols;
  index_t rows() const noexcept { return static_cast<index_t>(indptr.size()) - 1; }
};

// out (rows x width) = A B for CSR A and row-major B (cols x width); width is a multiple of 8. Throws InvalidArgument where
// the parts make no matrix.
template <class T, class Index>
void sparse_product(const Csr<T, Index>& a, const double* b, index_t width, double* out, runtime::CancelToken& token);

// out (cols x width) = A' (A B), given A' too: the same bits as two products. Strips of a few columns go through both, so
// that what lies between them stays in the caches and never takes more memory than a strip.
template <class T, class Index>
void sparse_gram_product(const Csr<T, Index>& a, const Csr<T, Index>& transposed, const double* b, index_t width, double* out,
                         runtime::CancelToken& token);

}  // namespace mlwright::linalg
