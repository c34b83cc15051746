#include <pybind11/pybind11.h>

#include "mlwright/runtime/parallel.hpp"
#include "registers.hpp"
#include "runtime/thread_count.hpp"

// For threadpoolctl, which finds the functions of a thread pool by name in the libraries of a process.
extern "C" {
__attribute__((visibility("default"))) int mlwright_get_num_threads() { return mlwright::runtime::process_threads(); }
__attribute__((visibility("default"))) void mlwright_set_num_threads(int n) {
  mlwright::runtime::set_num_threads(n < 0 ? 0 : n);
}
}

namespace mlwright::bindings {

namespace py = pybind11;

void register_runtime(py::module_& m) {
  py::module_ runtime = m.def_submodule("runtime");
  runtime.def("max_threads", &runtime::max_threads);
  runtime.def("set_thread_limit", &runtime::set_thread_limit, py::arg("n"));
  runtime.def("set_num_threads", &runtime::set_num_threads, py::arg("n"));
}

}  // namespace mlwright::bindings
