#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>

#include "arrays.hpp"
#include "brief_predict.hpp"
#include "call.hpp"
#include "forest_arrays.hpp"
#include "mlwright/tree/predictor.hpp"

namespace mlwright::bindings {

namespace py = pybind11;
using tree::ForestArrays;
using tree::ForestRules;
using tree::Predictor;

namespace {

std::unique_ptr<Predictor> make_predictor(const py::dict& trees, index_t n_features, index_t leaf_size,
                                          const Vector<double>& start, double divide_by, bool float32_input,
                                          bool float32_sum) {
  const ForestArrays forest = forest_from(trees, n_features, leaf_size);
  ForestRules rules{{start.data(), start.data() + start.size()}, divide_by, float32_input, float32_sum};
  return without_gil([&](auto&) { return std::make_unique<Predictor>(forest, std::move(rules)); });
}

template <class T>
py::array_t<double> predict(const Predictor& predictor, const py::array_t<T, 0>& x) {
  const auto view = matrix<T>(x);
  py::array_t<double> raw({static_cast<index_t>(predictor.n_outputs()), view.rows});
  const MatrixView<double> out{raw.mutable_data(), raw.shape(0), raw.shape(1), raw.shape(1), 1};
  if (predictor.cost(view.rows) < kBriefly)
    predictor.predict_here(view, out);
  else
    without_gil([&](auto& token) { predictor.predict(view, out, token); });
  return raw;
}

template <class T>
void add_to(const Predictor& predictor, const py::array_t<T, 0>& x, py::array_t<double, 0>& raw, index_t first, index_t last) {
  const auto view = matrix<T>(x);
  const auto out = mutable_matrix<double>(raw);
  without_gil([&](auto& token) { predictor.add_to(view, first, last, out, token); });
}

}  // namespace

void register_forest(py::module_& m) {
  py::module_ forest = m.def_submodule("forest");
  forest.def("check", [](const py::dict& trees, index_t n_features, index_t leaf_size) {
    const ForestArrays arrays = forest_from(trees, n_features, leaf_size);
    without_gil([&](auto&) { tree::check_forest(arrays); });
  });
  py::class_<Predictor>(forest, "Predictor")
      .def(py::init(&make_predictor))
      .def("predict", &predict<double>, py::arg("x").noconvert())
      .def("predict", &predict<float>, py::arg("x").noconvert())
      .def("brief", [](const py::object& self, int accepts) {
        return brief_predict(self, self.cast<const Predictor&>(), static_cast<Accepts>(accepts));
      })
      .def("add_to", &add_to<double>, py::arg("x").noconvert(), py::arg("raw").noconvert(), py::arg("first"), py::arg("last"))
      .def("add_to", &add_to<float>, py::arg("x").noconvert(), py::arg("raw").noconvert(), py::arg("first"), py::arg("last"));
}

}  // namespace mlwright::bindings
