// The random numbers of one chain: keyed by (seed, purpose and iteration, chain and part).
#pragma once

#include "mlwright/runtime/rng.hpp"

namespace mlwright::sampler::bart {

enum Purpose : std::uint32_t { kTrees, kScale, kWeights, kLatents, kRoots, kLeaves, kNoiseTrees, kNoiseWeights };

struct Streams {
  std::uint64_t seed, chain;
  index_t iteration = 0;

  runtime::Rng operator()(Purpose purpose, std::uint64_t part = 0) const noexcept {
    return runtime::Rng(seed, runtime::stream_id(purpose, static_cast<std::uint32_t>(iteration)), chain << 32 | part);
  }
};

}  // namespace mlwright::sampler::bart
