// How long work inside a chunk hears of Ctrl-C, on whichever thread it runs.
#pragma once

#include <functional>
#include <thread>

#include "mlwright/runtime/cancel.hpp"

namespace mlwright::runtime {

// Throws Cancelled once asked to end. Only the thread that made it may poll; the others look at the flag.
inline std::function<void()> poller(CancelToken& token) {
  return [&token, caller = std::this_thread::get_id()] {
    if (std::this_thread::get_id() == caller) token.poll();
    if (token.cancelled()) throw Cancelled();
  };
}

}  // namespace mlwright::runtime
