#include <pybind11/pybind11.h>

#include "mlwright/runtime/parallel.hpp"
#include "registers.hpp"

namespace mlwright::bindings {

namespace py = pybind11;

void register_runtime(py::module_& m) {
  py::module_ runtime = m.def_submodule("runtime");
  runtime.def("max_threads", &runtime::max_threads);
  runtime.def("set_num_threads", &runtime::set_num_threads, py::arg("n"));
}

}  // namespace mlwright::bindings
