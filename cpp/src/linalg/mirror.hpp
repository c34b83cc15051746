// The lower half of a symmetric matrix from its upper half; row-major, `width` wide.
#pragma once

#include <vector>

#include "mlwright/base/view.hpp"

namespace mlwright::linalg {

inline void mirror(std::vector<double>& gram, index_t width) {
  for (index_t j = 0; j < width; ++j)
    for (index_t i = j + 1; i < width; ++i)
      gram[static_cast<std::size_t>(i * width + j)] = gram[static_cast<std::size_t>(j * width + i)];
}

}  // namespace mlwright::linalg
