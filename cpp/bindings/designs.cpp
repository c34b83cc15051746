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

}  // namespace mlwright::bindings
