#include <pybind11/pybind11.h>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/linalg/sparse_product.hpp"

namespace mlwright::bindings {
namespace {

// A CSR matrix and the arrays that it lies in.
template <class T, class Index>
struct Parts {
  explicit Parts(const py::tuple& parts)
      : indptr(parts[0].cast<Vector<Index>>()), indices(parts[1].cast<Vector<Index>>()), data(parts[2].cast<Vector<T>>()),
        csr{span(indptr), span(indices), span(data), parts[3].cast<index_t>()} {}
  Vector<Index> indptr, indices;
  Vector<T> data;
  linalg::Csr<T, Index> csr;
};

void require_shapes(const Vector<double>& b, index_t cols, const Vector<double>& out, index_t rows) {
  if (b.ndim() != 2 || b.shape(0) != cols || b.shape(1) % 8 != 0 || out.ndim() != 2 || out.shape(0) != rows ||
      out.shape(1) != b.shape(1))
    throw py::value_error("sparse product: shapes do not fit, or the width is no multiple of 8");
}

// Calls f with two numbers of the types of the matrix: of its entries and of its indices.
template <class F>
void with_types(const py::tuple& parts, F f) {
  if (parts.size() != 4) throw py::type_error("CSR: expected (indptr, indices, data, n_columns)");
  const bool wide = py::isinstance<Vector<std::int64_t>>(parts[0]), twice = py::isinstance<Vector<double>>(parts[2]);
  if (wide) return twice ? f(0.0, std::int64_t{}) : f(0.0f, std::int64_t{});
  return twice ? f(0.0, std::int32_t{}) : f(0.0f, std::int32_t{});
}

void sparse_product(const py::tuple& parts, const Vector<double>& b, Vector<double> out) {
  with_types(parts, [&]<class T, class Index>(T, Index) {
    const Parts<T, Index> a(parts);
    require_shapes(b, a.csr.cols, out, a.csr.rows());
    double* to = out.mutable_data();
    without_gil([&](auto& token) { linalg::sparse_product(a.csr, b.data(), b.shape(1), to, token); });
  });
}

void sparse_gram_product(const py::tuple& parts, const py::tuple& other, const Vector<double>& b, Vector<double> out) {
  with_types(parts, [&]<class T, class Index>(T, Index) {
    const Parts<T, Index> a(parts), transposed(other);
    require_shapes(b, a.csr.cols, out, a.csr.cols);
    double* to = out.mutable_data();
    without_gil([&](auto& token) { linalg::sparse_gram_product(a.csr, transposed.csr, b.data(), b.shape(1), to, token); });
  });
}

}  // namespace

void register_sparse_product(py::module_& m) {
  auto products = m.def_submodule("sparse_product");
  products.def("sparse_product", &sparse_product, py::arg("a"), py::arg("b").noconvert(), py::arg("out").noconvert());
  products.def("sparse_gram_product", &sparse_gram_product, py::arg("a"), py::arg("transposed"), py::arg("b").noconvert(),
               py::arg("out").noconvert());
}

}  // namespace mlwright::bindings
