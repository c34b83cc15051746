#include "designs.hpp"

#include "arrays.hpp"

namespace mlwright::bindings {

namespace py = pybind11;
using linalg::Design;
using Strided = py::array_t<double, 0>;

namespace {

template <class T, class Index>
std::unique_ptr<Design> csr_of(const py::tuple& parts) {
  const auto indptr = parts[0].cast<Vector<Index>>(), indices = parts[1].cast<Vector<Index>>();
  return std::make_unique<linalg::CsrDesign<T, Index>>(span(indptr), span(indices), span(parts[2].cast<Vector<T>>()),
                                                       parts[3].cast<index_t>());
}

template <class Index>
std::unique_ptr<Design> csr_with_index(const py::tuple& parts) {
  if (!py::isinstance<Vector<Index>>(parts[1])) throw py::type_error("CSR: indptr and indices differ in dtype");
  if (py::isinstance<Vector<double>>(parts[2])) return csr_of<double, Index>(parts);
  if (py::isinstance<Vector<float>>(parts[2])) return csr_of<float, Index>(parts);
  throw py::type_error("CSR: data must be contiguous float64 or float32");
}

template <class T, class Index>
std::unique_ptr<linalg::RowBlocks> csr_rows_of(const py::tuple& parts, std::span<const double> shift, std::span<const double> scale) {
  const auto indptr = parts[0].cast<Vector<Index>>(), indices = parts[1].cast<Vector<Index>>();
  return linalg::csr_rows<T, Index>(span(indptr), span(indices), span(parts[2].cast<Vector<T>>()), parts[3].cast<index_t>(), shift, scale);
}

bool is_coded(const py::object& x) { return py::isinstance<py::tuple>(x) && py::len(x) == 3; }

// The parts of the tuple (numbers, codes, ends), which holds what they view.
struct Coded {
  std::unique_ptr<Design> numbers;
  Vector<std::int32_t> codes;
  Vector<std::int64_t> ends;

  explicit Coded(const py::object& x) {
    const auto parts = py::reinterpret_borrow<py::tuple>(x);
    if (!parts[0].is_none()) numbers = design_of(parts[0]);
    if (!py::isinstance<Vector<std::int32_t>>(parts[1]) || !py::isinstance<Vector<std::int64_t>>(parts[2]))
      throw py::type_error("coded rows: expected contiguous int32 codes and int64 ends");
    codes = parts[1].cast<Vector<std::int32_t>>();
    ends = parts[2].cast<Vector<std::int64_t>>();
    if (codes.ndim() != 2 || ends.ndim() != 1) throw py::value_error("coded rows: expected codes of shape (n, k) and k ends");
  }
  MatrixView<const std::int32_t> view() const { return {codes.data(), codes.shape(0), codes.shape(1), codes.shape(1), 1}; }
  index_t levels() const { return ends.size() == 0 ? 0 : ends.data()[ends.size() - 1]; }
};

}  // namespace

std::unique_ptr<Design> design_of(const py::object& x) {
  if (py::isinstance<py::array_t<double>>(x))
    return std::make_unique<linalg::DenseDesign<double>>(matrix<double>(py::reinterpret_borrow<Strided>(x)));
  if (py::isinstance<py::array_t<float>>(x))
    return std::make_unique<linalg::DenseDesign<float>>(matrix<float>(py::reinterpret_borrow<py::array_t<float, 0>>(x)));
  if (!py::isinstance<py::tuple>(x)) throw py::type_error("X: expected a float array or a CSR tuple");
  const auto parts = py::reinterpret_borrow<py::tuple>(x);
  if (parts.size() != 4) throw py::type_error("CSR: expected (indptr, indices, data, n_columns)");
  if (py::isinstance<Vector<std::int32_t>>(parts[0])) return csr_with_index<std::int32_t>(parts);
  if (py::isinstance<Vector<std::int64_t>>(parts[0])) return csr_with_index<std::int64_t>(parts);
  throw py::type_error("CSR: indices must be contiguous int32 or int64");
}

Extent extent_of(const py::object& x) {
  if (is_coded(x)) {
    const Coded coded(x);
    return {coded.codes.shape(0), coded.levels() + (coded.numbers ? coded.numbers->cols() : 0)};
  }
  const auto design = design_of(x);
  return {design->rows(), design->cols()};
}

BlocksOf row_blocks_of(const py::object& x, std::span<const double> shift, std::span<const double> scale, bool keeps) {
  const index_t p = extent_of(x).cols;
  if (static_cast<index_t>(shift.size()) != p || static_cast<index_t>(scale.size()) != p)
    throw py::value_error("shift and scale: expected one number a column");
  if (is_coded(x)) {
    Coded coded(x);
    auto rows = linalg::coded_rows(coded.numbers.get(), coded.view(), span(coded.ends), shift, scale);
    return {std::move(coded.numbers), std::move(rows)};
  }
  BlocksOf blocks{design_of(x), nullptr};
  if (!py::isinstance<py::tuple>(x) || p <= kPackedColumns) {
    blocks.rows = linalg::packed_rows(*blocks.design, shift, scale, keeps);
    return blocks;
  }
  const auto parts = py::reinterpret_borrow<py::tuple>(x);
  const bool wide = py::isinstance<Vector<std::int64_t>>(parts[0]), single = py::isinstance<Vector<float>>(parts[2]);
  blocks.rows = wide ? (single ? csr_rows_of<float, std::int64_t>(parts, shift, scale) : csr_rows_of<double, std::int64_t>(parts, shift, scale))
                     : (single ? csr_rows_of<float, std::int32_t>(parts, shift, scale) : csr_rows_of<double, std::int32_t>(parts, shift, scale));
  return blocks;
}

}  // namespace mlwright::bindings
