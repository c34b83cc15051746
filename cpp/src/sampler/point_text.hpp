// Points of parameters in messages, with all the digits that it takes to call a density there.
#pragma once

#include <charconv>
#include <string>

#include "mlwright/base/view.hpp"

namespace mlwright::sampler {

inline std::string point_text(const double* x, index_t n) {
  constexpr index_t kShown = 8;
  std::string text = "[";
  for (index_t i = 0; i < n && i < kShown; ++i) {
    char digits[32];
    text.append(i > 0 ? ", " : "").append(digits, std::to_chars(digits, digits + sizeof digits, x[i]).ptr);
  }
  return text + (n > kShown ? ", ...]" : "]");
}

}  // namespace mlwright::sampler
