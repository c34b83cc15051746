#include <pybind11/pybind11.h>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/linalg/sparse_product.hpp"

namespace mlwright::bindings {
namespace {

template <class T, class Index>
void product(const py::tuple& parts, const Vector<double>& b, Vector<double>& out) {
  const auto indptr = parts[0].cast<Vector<Index>>(), indices = parts[1].cast<Vector<Index>>();
  const auto data = parts[2].cast<Vector<T>>();
  const auto cols = parts[3].cast<index_t>();
  if (b.ndim() != 2 || b.shape(0) != cols || b.shape(1) % 8 != 0 || out.ndim() != 2 || out.shape(0) != indptr.size() - 1 ||
      out.shape(1) != b.shape(1))
    throw py::value_error("sparse product: shapes do not fit, or the width is no multiple of 8");
  double* to = out.mutable_data();
  without_gil([&](auto& token) {
    linalg::sparse_product<T, Index>(span(indptr), span(indices), span(data), cols, b.data(), b.shape(1), to, token);
  });
}

void sparse_product(const py::tuple& parts, const Vector<double>& b, Vector<double> out) {
  if (parts.size() != 4) throw py::type_error("CSR: expected (indptr, indices, data, n_columns)");
  const bool wide = py::isinstance<Vector<std::int64_t>>(parts[0]), twice = py::isinstance<Vector<double>>(parts[2]);
  if (wide) return twice ? product<double, std::int64_t>(parts, b, out) : product<float, std::int64_t>(parts, b, out);
  return twice ? product<double, std::int32_t>(parts, b, out) : product<float, std::int32_t>(parts, b, out);
}

}  // namespace

void register_sparse_product(py::module_& m) {
  auto products = m.def_submodule("sparse_product");
  products.def("sparse_product", &sparse_product, py::arg("a"), py::arg("b").noconvert(), py::arg("out").noconvert());
}

}  // namespace mlwright::bindings
