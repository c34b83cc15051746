// Integer arithmetic that throws instead of wrapping: for sizes that come from files or users.
#pragma once

#include <string>

#include "mlwright/base/error.hpp"
#include "mlwright/base/view.hpp"

namespace mlwright {

inline index_t checked_mul(index_t a, index_t b, const char* subject) {
  index_t product;
  if (__builtin_mul_overflow(a, b, &product))
    throw InvalidArgument(std::string(subject) + ": " + std::to_string(a) + " x " + std::to_string(b) +
                          " does not fit in 64 bits; expected a smaller size");
  return product;
}

inline index_t checked_add(index_t a, index_t b, const char* subject) {
  index_t sum;
  if (__builtin_add_overflow(a, b, &sum))
    throw InvalidArgument(std::string(subject) + ": " + std::to_string(a) + " + " + std::to_string(b) +
                          " does not fit in 64 bits; expected a smaller size");
  return sum;
}

}  // namespace mlwright
