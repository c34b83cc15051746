// How a binding calls the core: the GIL released, signals polled, cancellation turned back into Python's own error.
#pragma once

#include <pybind11/pybind11.h>

#include <unistd.h>

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "mlwright/runtime/cancel.hpp"

namespace mlwright::bindings {

namespace py = pybind11;

// Before a thread takes the GIL back: if the interpreter is shutting down, a daemon thread would be ended there by
// unwinding through frames that hold Python objects. It stays here instead until the process ends, as in Python 3.14.
inline void stay_if_python_is_ending() noexcept {
#if PY_VERSION_HEX < 0x030D0000
  const auto ending = &_Py_IsFinalizing;
#else
  const auto ending = &Py_IsFinalizing;
#endif
  const bool ends_it = getpid() == gettid();
  while (!ends_it && ending()) pause();
}

// By which one Python thread ends the native calls of others that work for it: signals reach the main thread only.
using CancelFlag = std::atomic<bool>;
inline thread_local std::shared_ptr<const CancelFlag> followed_flag;

// Asks Python for pending signals (Ctrl-C), and the flag that this thread follows. Only the main thread gets an answer
// from Python; elsewhere the GIL is not taken for it: many threads that predict at once do not queue for their polls.
class SignalToken final : public runtime::CancelToken {
  bool wants_to_stop() noexcept override {
    if (followed_ != nullptr && followed_->load(std::memory_order_relaxed)) return true;
    if (!main_thread_) return false;
    py::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;  // the error stays set; the translator finds it
  }
  const bool main_thread_ = getpid() == gettid();
  const std::shared_ptr<const CancelFlag> followed_ = followed_flag;
};

// Runs work(token) without the GIL and returns its result. The GIL is taken back in plain code, not in a destructor: what
// Python does there may unwind.
template <class Work>
auto without_gil(Work&& work) {
  SignalToken token;
  PyThreadState* const python = PyEval_SaveThread();
  using Result = decltype(work(static_cast<runtime::CancelToken&>(token)));
  std::exception_ptr error;
  std::conditional_t<std::is_void_v<Result>, std::monostate, std::optional<Result>> result;
  try {
    if constexpr (std::is_void_v<Result>)
      std::forward<Work>(work)(static_cast<runtime::CancelToken&>(token));
    else
      result.emplace(std::forward<Work>(work)(static_cast<runtime::CancelToken&>(token)));
  } catch (...) {
    error = std::current_exception();
  }
  stay_if_python_is_ending();
  PyEval_RestoreThread(python);
  if (error) std::rethrow_exception(error);
  if constexpr (!std::is_void_v<Result>) return std::move(*result);
}

}  // namespace mlwright::bindings
