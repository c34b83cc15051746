#include <pybind11/pybind11.h>

#include <memory>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "forest_arrays.hpp"
#include "mlwright/tree/shap.hpp"

namespace mlwright::bindings {

namespace py = pybind11;
using tree::TreeShap;

namespace {

std::unique_ptr<TreeShap> make_shap(const py::dict& trees, index_t n_features, index_t leaf_size, const Vector<double>& cover,
                                    index_t n_outputs, double divide_by, bool float32_input,
                                    const py::array_t<double, 0>& background) {
  const tree::ForestArrays forest = forest_from(trees, n_features, leaf_size);
  tree::ForestRules rules;
  rules.start.assign(static_cast<std::size_t>(n_outputs), 0.0);
  rules.divide_by = divide_by;
  rules.float32_input = float32_input;
  const auto rows = matrix<double>(background);
  return without_gil([&](auto& token) {
    tree::check_forest(forest);
    tree::check_rules(forest, rules);
    return std::make_unique<TreeShap>(forest, span(cover), rules, rows, token);
  });
}

template <class T>
void values(const TreeShap& shap, const py::array_t<T, 0>& x, Vector<double>& out) {
  const auto rows = matrix<T>(x);
  const auto into = mutable_span(out);
  without_gil([&](auto& token) { shap.values(rows, into, token); });
}

template <class T>
void interactions(const TreeShap& shap, const py::array_t<T, 0>& x, Vector<double>& out) {
  const auto rows = matrix<T>(x);
  const auto into = mutable_span(out);
  without_gil([&](auto& token) { shap.interactions(rows, into, token); });
}

}  // namespace

void register_shap(py::module_& m) {
  py::module_ shap = m.def_submodule("shap");
  py::class_<TreeShap>(shap, "TreeShap")
      .def(py::init(&make_shap))
      .def("base", [](const TreeShap& s) {
        const std::vector<double> base = s.base();
        return Vector<double>(static_cast<py::ssize_t>(base.size()), base.data());
      })
      .def("values", &values<double>, py::arg("x").noconvert(), py::arg("out").noconvert())
      .def("values", &values<float>, py::arg("x").noconvert(), py::arg("out").noconvert())
      .def("interactions", &interactions<double>, py::arg("x").noconvert(), py::arg("out").noconvert())
      .def("interactions", &interactions<float>, py::arg("x").noconvert(), py::arg("out").noconvert());
}

}  // namespace mlwright::bindings
