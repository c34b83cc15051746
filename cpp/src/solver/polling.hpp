// How descents that run side by side, one a chunk of a parallel region, hear of Ctrl-C.
#pragma once

#include "mlwright/runtime/parallel.hpp"

namespace mlwright::solver {

// Throws Cancelled once asked to end. Only the thread that runs the region may ask the token's owner; the others look at
// its flag.
inline void stop_if_asked(runtime::CancelToken& token) {
  if (runtime::worker_slot() == 0)
    token.poll();
  else if (token.cancelled())
    throw Cancelled();
}

}  // namespace mlwright::solver
