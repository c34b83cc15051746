// The one translator from the core's errors to Python's.
#include <pybind11/pybind11.h>

#include "mlwright/base/error.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;

void raise(const char* name, const char* message) {
  py::object type = py::module_::import("mlwright._runtime.errors").attr(name);
  PyErr_SetString(type.ptr(), message);
}

void translate(std::exception_ptr p) {
  try {
    if (p) std::rethrow_exception(p);
  } catch (const Cancelled& e) {
    if (PyErr_Occurred() == nullptr) PyErr_SetString(PyExc_KeyboardInterrupt, e.what());
  } catch (const ModelFormatError& e) {
    raise("ModelFormatError", e.what());
  } catch (const NumericalError& e) {
    raise("NumericalError", e.what());
  } catch (const Error& e) {
    PyErr_SetString(PyExc_ValueError, e.what());
  }
}

}  // namespace

void register_errors(py::module_&) { py::register_exception_translator(&translate); }

}  // namespace mlwright::bindings
