// What random numbers of chains are for.
#pragma once

#include <cstdint>

namespace mlwright::sampler {

enum Purpose : std::uint32_t { kTransition, kStart, kStepSize, kRatios };

}  // namespace mlwright::sampler
