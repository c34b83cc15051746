// Cancellation: the calling thread polls, the workers only look at a flag.
//
// A token is made by the caller of the core (the bindings make one that asks Python for pending signals). poll() is
// called by the calling thread only, often; it asks the caller at most every kPollInterval and throws Cancelled when
// the answer is yes. Workers call cancelled() between chunks. Thread-safe: cancelled() from anywhere, poll() not.
#pragma once

#include <atomic>
#include <chrono>

#include "mlwright/base/error.hpp"

namespace mlwright::runtime {

class CancelToken {
 public:
  static constexpr std::chrono::milliseconds kPollInterval{50};

  CancelToken() = default;
  CancelToken(const CancelToken&) = delete;
  CancelToken& operator=(const CancelToken&) = delete;
  virtual ~CancelToken() = default;

  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }

  // Throws Cancelled once the caller wants to stop.
  void poll() {
    if (ask_if_due()) throw Cancelled();
  }

  // The same question without the throw, for places that must clean up first.
  bool ask_if_due() noexcept {
    if (cancelled()) return true;
    const auto now = Clock::now();
    if (now - last_asked_ < kPollInterval) return false;
    last_asked_ = now;
    if (wants_to_stop()) cancel();
    return cancelled();
  }

 protected:
  virtual bool wants_to_stop() noexcept { return false; }

 private:
  using Clock = std::chrono::steady_clock;
  std::atomic<bool> cancelled_{false};
  Clock::time_point last_asked_ = Clock::now();
};

}  // namespace mlwright::runtime
