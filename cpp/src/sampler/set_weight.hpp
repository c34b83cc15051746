// ln w of a set of columns, see spike_slab.hpp.
#pragma once

#include <cmath>

#include "mlwright/base/elementary.hpp"
#include "mlwright/sampler/spike_slab.hpp"

namespace mlwright::sampler {

inline double set_weight(const Selection& selection, std::size_t size, double rest, double log_det) noexcept {
  return selection.log_prior[size] + static_cast<double>(size) * selection.log_slab - 0.5 * log_det -
         selection.shape * log(selection.rate + 0.5 * std::fmax(rest, 0));
}

}  // namespace mlwright::sampler
