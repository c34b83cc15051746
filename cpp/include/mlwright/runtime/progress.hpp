// Progress: how far a long computation is, told to whoever watches.
//
//   progress.report({.stage = "boosting", .done = i + 1, .total = n, .values = {{{"loss", loss}}}});
//
// The engine reports at every step and need not think of cost: nobody watching costs one comparison, and of steps that
// follow each other quickly only the first, the last, and one an interval in between reach the callback.
// By the calling thread only, outside parallel regions. What a callback throws passes through the engine as Cancelled does.
#pragma once

#include <chrono>
#include <span>

#include "mlwright/base/view.hpp"

namespace mlwright::runtime {

struct ProgressValue {
  const char* name;
  double value;
};

struct ProgressEvent {
  const char* stage;
  index_t done;
  index_t total;                            // 0: unknown
  std::span<const ProgressValue> values = {};  // e.g. the loss after this step; borrowed for the call
};

class Progress {
 public:
  using Callback = void (*)(void* context, const ProgressEvent& event);

  Progress() = default;  // nobody watches
  Progress(Callback callback, void* context, std::chrono::duration<double> interval) noexcept
      : callback_(callback), context_(context), interval_(interval) {}

  // For values that cost something to compute.
  bool watched() const noexcept { return callback_ != nullptr; }

  void report(const ProgressEvent& event) {
    if (callback_ == nullptr) return;
    const auto now = Clock::now();
    const bool due = event.stage != stage_ || event.done == event.total || now - told_ >= interval_;
    if (!due) return;
    stage_ = event.stage;
    told_ = now;
    callback_(context_, event);
  }

 private:
  using Clock = std::chrono::steady_clock;
  Callback callback_ = nullptr;
  void* context_ = nullptr;
  std::chrono::duration<double> interval_{0};
  const char* stage_ = nullptr;  // of the last event that was told: a new stage is told at once
  Clock::time_point told_{};
};

}  // namespace mlwright::runtime
