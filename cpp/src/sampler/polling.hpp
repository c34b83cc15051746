// How chains on several threads hear of Ctrl-C.
#pragma once

#include <functional>
#include <thread>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::sampler {

// Throws Cancelled once asked to end. Only the thread that made it may poll; the others look at the flag.
inline std::function<void()> poller(runtime::CancelToken& token) {
  return [&token, caller = std::this_thread::get_id()] {
    if (std::this_thread::get_id() == caller) token.poll();
    if (token.cancelled()) throw Cancelled();
  };
}

}  // namespace mlwright::sampler
