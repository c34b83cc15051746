// A forest's dict of arrays, as mlwright._kernels.forest checked it, as the core's view: without a copy.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>
#include <string>

#include "arrays.hpp"
#include "mlwright/tree/forest.hpp"

namespace mlwright::bindings {

template <class T>
std::span<const T> taken(const py::dict& trees, const char* name) {
  if (!trees.contains(name)) return {};
  const py::object array = trees[name];
  if (!py::isinstance<Vector<T>>(array)) throw py::value_error(std::string("trees: ") + name + " is of another dtype or not contiguous");
  return span(py::reinterpret_borrow<Vector<T>>(array));  // the dict keeps its memory alive
}

inline tree::ForestArrays forest_from(const py::dict& trees, index_t n_features, index_t leaf_size) {
  tree::ForestArrays forest;
  forest.feature = taken<std::int32_t>(trees, "feature");
  forest.left = taken<std::int32_t>(trees, "left");
  forest.right = taken<std::int32_t>(trees, "right");
  forest.missing_left = taken<std::uint8_t>(trees, "missing_left");
  forest.threshold = taken<double>(trees, "threshold");
  forest.value = taken<double>(trees, "value");
  forest.offsets = taken<std::int64_t>(trees, "offsets");
  forest.rule = taken<std::uint8_t>(trees, "rule");
  forest.category_set = taken<std::int32_t>(trees, "category_set");
  forest.set_offsets = taken<std::int64_t>(trees, "set_offsets");
  forest.set_words = taken<std::uint32_t>(trees, "set_words");
  forest.n_features = n_features;
  forest.leaf_size = leaf_size;
  return forest;
}

}  // namespace mlwright::bindings
