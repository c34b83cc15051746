#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>

#include "arrays.hpp"
#include "call.hpp"
#include "designs.hpp"
#include "mlwright/linalg/column_moments.hpp"

namespace mlwright::bindings {
namespace {

Vector<double> to_array(const std::vector<double>& values) {
  Vector<double> a(static_cast<py::ssize_t>(values.size()));
  std::copy(values.begin(), values.end(), a.mutable_data());
  return a;
}

py::tuple column_moments(const py::object& x, const std::optional<Vector<double>>& w) {
  const auto design = design_of(x);
  if (w && w->size() != design->rows()) throw py::value_error("weights: their number differs from the number of rows");
  const double* weights = w ? w->data() : nullptr;
  const auto moments = without_gil([&](auto& token) { return linalg::column_moments(*design, weights, token); });
  return py::make_tuple(to_array(moments.weight), to_array(moments.mean), to_array(moments.scatter));
}

template <class T>
const T* column_numbers(const std::optional<Vector<T>>& a, index_t p, const char* name) {
  if (!a) return nullptr;
  if (a->size() != p) throw py::value_error(std::string(name) + ": expected one number a column");
  return a->data();
}

template <class T>
void standardise(const py::array_t<T, 0>& x, const std::optional<Vector<T>>& shift, const std::optional<Vector<T>>& scale,
                 bool back, py::array_t<T, 0> out) {
  const auto from = matrix<T>(x);
  const auto to = mutable_matrix<T>(out);
  if (from.rows != to.rows || from.cols != to.cols) throw py::value_error("out: its shape differs from that of x");
  const T *c = column_numbers(shift, from.cols, "shift"), *s = column_numbers(scale, from.cols, "scale");
  without_gil([&](auto& token) { linalg::standardise<T>(from, c, s, back, to, token); });
}

}  // namespace

void register_column_moments(py::module_& m) {
  auto moments = m.def_submodule("column_moments");
  moments.def("column_moments", &column_moments, py::arg("x"), py::arg("w").noconvert());
  const auto add = [&](auto function) {
    moments.def("standardise", function, py::arg("x").noconvert(), py::arg("shift").noconvert(),
                py::arg("scale").noconvert(), py::arg("back"), py::arg("out").noconvert());
  };
  add(&standardise<double>);
  add(&standardise<float>);
}

}  // namespace mlwright::bindings
