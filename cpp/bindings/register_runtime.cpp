#include <pybind11/pybind11.h>

#include "call.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "runtime/exercise.hpp"
#include "runtime/placement.hpp"
#include "runtime/thread_count.hpp"
#include "watcher.hpp"

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
  runtime.def("exercise", [](index_t rounds, index_t chunks, double seconds, index_t fail_at, py::object watcher, double interval) {
    Watcher watched(std::move(watcher), interval);
    const auto result = without_gil([&](auto& token) {
      return runtime::exercise({rounds, chunks, seconds, fail_at}, token, watched.progress());
    });
    return py::make_tuple(result.sum, result.threads);
  }, py::kw_only(), py::arg("rounds") = 1, py::arg("chunks") = 1, py::arg("seconds") = 0.0, py::arg("fail_at") = -1,
     py::arg("watcher") = py::none(), py::arg("interval") = 0.1,
     "Work of known length that does nothing useful: for tests and measurements.");
  py::class_<CancelFlag, std::shared_ptr<CancelFlag>>(runtime, "CancelFlag")
      .def(py::init([] { return std::make_shared<CancelFlag>(false); }))
      .def("set", [](CancelFlag& flag) { flag.store(true); })
      .def("is_set", [](const CancelFlag& flag) { return flag.load(); });
  runtime.def("follow", [](std::shared_ptr<CancelFlag> flag) { followed_flag = std::move(flag); }, py::arg("flag").none(true),
              "Native calls of this thread end with KeyboardInterrupt once the flag is set; None: no flag.");
  runtime.def("current_cpu", &runtime::current_cpu, "Where this thread runs; -1 where that is not known.");
  runtime.def("leave_cpu", &runtime::leave_cpu, py::arg("cpu"), "If this thread runs there, it goes on elsewhere.");
  runtime.def("set_num_threads", &runtime::set_num_threads, py::arg("n"));
}

}  // namespace mlwright::bindings
