// The error family of the core. Every message says: subject, got, expected, remedy.
//
// The bindings hold the one translator: InvalidArgument -> ValueError, ModelFormatError -> mlwright.ModelFormatError,
// NumericalError -> mlwright.NumericalError, Cancelled -> the Python error that asked for it (KeyboardInterrupt),
// std::bad_alloc -> MemoryError. The core never aborts and never prints.
#pragma once

#include <stdexcept>
#include <string>

namespace mlwright {

class Error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class InvalidArgument : public Error {
  using Error::Error;
};

class ModelFormatError : public Error {
  using Error::Error;
};

class NumericalError : public Error {
  using Error::Error;
};

// Thrown on the calling thread when its poll function asked to stop.
class Cancelled : public Error {
 public:
  Cancelled() : Error("cancelled by the caller") {}
};

}  // namespace mlwright
