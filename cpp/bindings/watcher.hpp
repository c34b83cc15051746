// A Python callable that watches the progress of the core: watcher(stage, done, total, values).
#pragma once

#include <pybind11/pybind11.h>

#include "call.hpp"
#include "mlwright/runtime/progress.hpp"

namespace mlwright::bindings {

namespace py = pybind11;

// Make it with the GIL; hand progress() to work that runs without. None: nobody watches. What the callable raises ends
// the work and reaches the caller.
class Watcher {
 public:
  Watcher(py::object watcher, double interval)
      : watcher_(std::move(watcher)),
        progress_(watcher_.is_none() ? runtime::Progress()
                                     : runtime::Progress(&tell, this, std::chrono::duration<double>(interval))) {}
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  runtime::Progress& progress() noexcept { return progress_; }

 private:
  static void tell(void* self, const runtime::ProgressEvent& event) {
    stay_if_python_is_ending();
    py::gil_scoped_acquire gil;
    py::dict values;
    for (const auto& [name, value] : event.values) values[name] = value;
    static_cast<Watcher*>(self)->watcher_(event.stage, event.done, event.total, values);
  }

  py::object watcher_;
  runtime::Progress progress_;
};

}  // namespace mlwright::bindings
