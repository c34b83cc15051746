// How long work inside a chunk hears of Ctrl-C, on whichever thread it runs.
#pragma once

#include <functional>
#include <thread>

#include "mlwright/runtime/parallel.hpp"

namespace mlwright::runtime {

// Throws Cancelled once asked to end; for work of one region. Only the thread that runs the region may ask the token's
// owner; the others look at its flag.
inline void stop_if_asked(CancelToken& token) {
  if (worker_slot() == 0) token.poll();
  if (token.cancelled()) throw Cancelled();
}

// The same for work whose regions may lie within others: only the thread that made it may ask.
inline std::function<void()> poller(CancelToken& token) {
  return [&token, caller = std::this_thread::get_id()] {
    if (std::this_thread::get_id() == caller) token.poll();
    if (token.cancelled()) throw Cancelled();
  };
}

}  // namespace mlwright::runtime
