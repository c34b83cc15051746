#include "brief_predict.hpp"

#include <pybind11/numpy.h>

#include <cmath>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace mlwright::bindings {

namespace py = pybind11;
using py::detail::npy_api;

namespace {

constexpr const char* kCapsule = "mlwright.brief_predict";

struct Door {
  py::object owner;
  const tree::Predictor* predictor;
  Accepts accepts;
  npy_api* numpy;
  py::dtype float64;
};

template <class T>
bool accepted(MatrixView<const T> x, Accepts accepts) noexcept {
  if (accepts == Accepts::any) return true;
  for (index_t i = 0; i < x.rows; ++i)
    for (index_t j = 0; j < x.cols; ++j)
      if (accepts == Accepts::finite ? !std::isfinite(x(i, j)) : std::isinf(x(i, j))) return false;
  return true;
}

// The array's numbers, where they may be read as they are.
template <class T>
std::optional<MatrixView<const T>> view(const py::detail::PyArray_Proxy& array) noexcept {
  constexpr auto item = static_cast<py::ssize_t>(sizeof(T));
  if (array.strides[0] % item != 0 || array.strides[1] % item != 0) return std::nullopt;
  return MatrixView<const T>{reinterpret_cast<const T*>(array.data), array.dimensions[0], array.dimensions[1],
                             array.strides[0] / item, array.strides[1] / item};
}

// A new reference to the scores, or null with no Python error set where the long way is to be taken.
template <class T>
PyObject* scores(const Door& door, const py::detail::PyArray_Proxy& array) {
  const auto x = view<T>(array);
  if (!x || !accepted(*x, door.accepts)) return nullptr;
  const index_t n_outputs = door.predictor->n_outputs();
  const Py_intptr_t shape[2] = {n_outputs, x->rows};
  auto out = py::reinterpret_steal<py::object>(door.numpy->PyArray_NewFromDescr_(
      door.numpy->PyArray_Type_, py::dtype(door.float64).release().ptr(), 2, shape, nullptr, nullptr, 0, nullptr));
  if (!out) {
    PyErr_Clear();  // the long way asks for the memory again and says so
    return nullptr;
  }
  auto* data = reinterpret_cast<double*>(py::detail::array_proxy(out.ptr())->data);
  door.predictor->predict_here(*x, {data, n_outputs, x->rows, x->rows, 1});
  return out.release().ptr();
}

PyObject* call(PyObject* capsule, PyObject* x) noexcept {
  const Door& door = *static_cast<const Door*>(PyCapsule_GetPointer(capsule, kCapsule));
  PyObject* result = nullptr;
  if (Py_TYPE(x) == door.numpy->PyArray_Type_) {
    const auto& array = *py::detail::array_proxy(x);
    const auto& dtype = *py::detail::array_descriptor_proxy(array.descr);
    const bool fits = array.nd == 2 && array.dimensions[1] == door.predictor->n_features() && array.dimensions[0] > 0 &&
                      (array.flags & npy_api::NPY_ARRAY_ALIGNED_) != 0 && dtype.byteorder == '=' &&
                      door.predictor->cost(array.dimensions[0]) < kBriefly;
    try {
      if (fits && dtype.type_num == npy_api::NPY_DOUBLE_) result = scores<double>(door, array);
      if (fits && dtype.type_num == npy_api::NPY_FLOAT_) result = scores<float>(door, array);
    } catch (const std::exception&) {  // no memory: as above
    }
  }
  if (result == nullptr) Py_RETURN_NONE;
  return result;
}

PyMethodDef method = {"brief_predict", &call, METH_O, "f(X) -> scores, or None where the long way must be taken"};

}  // namespace

py::object brief_predict(py::object predictor, const tree::Predictor& core, Accepts accepts) {
  auto door = std::make_unique<Door>(Door{std::move(predictor), &core, accepts, &npy_api::get(), py::dtype::of<double>()});
  PyObject* capsule = PyCapsule_New(door.get(), kCapsule, [](PyObject* self) {
    delete static_cast<Door*>(PyCapsule_GetPointer(self, kCapsule));
  });
  if (capsule == nullptr) throw py::error_already_set();
  door.release();  // the capsule's now
  PyObject* function = PyCFunction_NewEx(&method, capsule, nullptr);
  Py_DECREF(capsule);
  if (function == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(function);
}

}  // namespace mlwright::bindings
