// How a binding calls the core: the GIL released, signals polled, cancellation turned back into Python's own error.
#pragma once

#include <pybind11/pybind11.h>

#include <utility>

#include "mlwright/runtime/cancel.hpp"

namespace mlwright::bindings {

namespace py = pybind11;

// Asks Python for pending signals (Ctrl-C). Only the main thread gets an answer; elsewhere it is always "no".
class SignalToken final : public runtime::CancelToken {
  bool wants_to_stop() noexcept override {
    py::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;  // the error stays set; the translator finds it
  }
};

// Runs work(token) without the GIL and returns its result.
template <class Work>
auto without_gil(Work&& work) {
  SignalToken token;
  py::gil_scoped_release release;
  return std::forward<Work>(work)(static_cast<runtime::CancelToken&>(token));
}

}  // namespace mlwright::bindings
