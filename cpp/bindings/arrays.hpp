// NumPy arrays as the core's views, without a copy. dtype, order and shape were checked by mlwright._kernels; what is
// checked again here is what memory safety needs.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>
#include <string>

#include "mlwright/base/view.hpp"

namespace mlwright::bindings {

namespace py = pybind11;

template <class T>
using Vector = py::array_t<T, py::array::c_style>;  // bind with .noconvert(): a silent copy would lose `out=`

template <class T>
std::span<const T> span(const Vector<T>& a) {
  return {a.data(), static_cast<std::size_t>(a.size())};
}
template <class T>
std::span<T> mutable_span(Vector<T>& a) {
  return {a.mutable_data(), static_cast<std::size_t>(a.size())};  // throws ValueError on read-only arrays
}

inline void require_size(const Vector<double>& a, index_t size, const char* name) {
  if (a.size() != size)
    throw py::value_error(std::string(name) + ": got " + std::to_string(a.size()) + " numbers, expected " + std::to_string(size));
}

// A two-dimensional array of any strides.
template <class T>
MatrixView<const T> matrix(const py::array_t<T, 0>& a) {
  if (a.ndim() != 2) throw py::value_error("array: got " + std::to_string(a.ndim()) + " dimensions, expected 2");
  const auto item = static_cast<py::ssize_t>(sizeof(T));
  if (a.strides(0) % item != 0 || a.strides(1) % item != 0)
    throw py::value_error("array: its strides are no multiple of its item size; pass numpy.ascontiguousarray(array)");
  if (reinterpret_cast<std::uintptr_t>(a.data()) % alignof(T) != 0)
    throw py::value_error("array: its memory is not aligned; pass numpy.require(array, requirements='A')");
  return {a.data(), a.shape(0), a.shape(1), a.strides(0) / item, a.strides(1) / item};
}
template <class T>
MatrixView<T> mutable_matrix(py::array_t<T, 0>& a) {
  const MatrixView<const T> view = matrix<T>(a);
  return {a.mutable_data(), view.rows, view.cols, view.row_stride, view.col_stride};
}

}  // namespace mlwright::bindings
