// The design matrix that Python passes, as the linear kernels read it.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <span>

#include "mlwright/linalg/design.hpp"
#include "mlwright/linalg/row_blocks.hpp"

namespace mlwright::bindings {

// float64 or float32 array of any strides, or the tuple (indptr, indices, data, n_columns). Views, no copies: `x` must
// outlive the result.
std::unique_ptr<linalg::Design> design_of(const pybind11::object& x);

// Rows and columns of what row_blocks_of reads.
struct Extent {
  index_t rows, cols;
};
Extent extent_of(const pybind11::object& x);

// The same as blocks of rows, columns centred and scaled (one number a column, which must outlive the result): CSR with
// more than `kPackedColumns` columns by its entries alone, all else packed. Besides, the tuple (numbers, codes, ends) of
// linalg::coded_rows: a float array or None, int32 of shape (n, k), int64 of shape (k,). keeps: as packed_rows() has it.
inline constexpr index_t kPackedColumns = 512;
struct BlocksOf {
  std::unique_ptr<linalg::Design> design;  // what packed rows read
  std::unique_ptr<linalg::RowBlocks> rows;
};
BlocksOf row_blocks_of(const pybind11::object& x, std::span<const double> shift, std::span<const double> scale,
                       bool keeps = false);

}  // namespace mlwright::bindings
