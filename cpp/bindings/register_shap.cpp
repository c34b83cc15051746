#include <pybind11/pybind11.h>

#include <memory>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/tree/shap.hpp"
#include "registers.hpp"

namespace mlwright::bindings {

namespace py = pybind11;
using tree::TreeShap;

namespace {

// Empty where the forest has no such array.
template <class T>
Vector<T> optional_array(const py::dict& trees, const char* name) {
  return trees.contains(name) ? trees[name].cast<Vector<T>>() : Vector<T>(0);
}

std::unique_ptr<TreeShap> make_shap(const py::dict& trees, const Vector<double>& cover, index_t n_features, index_t n_outputs,
                                    double divide_by, bool float32_input, const py::array_t<double, 0>& background) {
  const auto feature = trees["feature"].cast<Vector<std::int32_t>>(), left = trees["left"].cast<Vector<std::int32_t>>(),
             right = trees["right"].cast<Vector<std::int32_t>>(),
             category_set = optional_array<std::int32_t>(trees, "category_set");
  const auto missing_left = trees["missing_left"].cast<Vector<std::uint8_t>>(), rule = optional_array<std::uint8_t>(trees, "rule");
  const auto threshold = trees["threshold"].cast<Vector<double>>(), value = trees["value"].cast<Vector<double>>();
  const auto offsets = trees["offsets"].cast<Vector<std::int64_t>>(), set_offsets = optional_array<std::int64_t>(trees, "set_offsets");
  const auto set_words = optional_array<std::uint32_t>(trees, "set_words");
  tree::ForestArrays forest;
  forest.feature = span(feature);
  forest.left = span(left);
  forest.right = span(right);
  forest.missing_left = span(missing_left);
  forest.threshold = span(threshold);
  forest.value = span(value);
  forest.offsets = span(offsets);
  forest.rule = span(rule);
  forest.category_set = span(category_set);
  forest.set_offsets = span(set_offsets);
  forest.set_words = span(set_words);
  forest.n_features = n_features;
  forest.leaf_size = value.ndim() == 2 ? value.shape(1) : 1;
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
