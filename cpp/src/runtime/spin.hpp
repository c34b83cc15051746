// Waiting for what is about to happen.
#pragma once

#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mlwright::runtime {

// How long a thread waits awake before it sleeps. A wake-up costs 25 to 35 us, so whoever spins about that long never
// wastes more than twice the least possible; on few cores a longer spin takes time from somebody's work. Measured:
// docs/decisions/threads.md.
inline constexpr std::chrono::microseconds kSpin{50};

inline void relax_cpu() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

// True as soon as ready() is, false after kSpin.
template <class Ready>
bool spin_until(Ready&& ready) noexcept {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 16; ++i) {
      if (ready()) return true;
      relax_cpu();
    }
  } while (std::chrono::steady_clock::now() < end);
  return ready();
}

}  // namespace mlwright::runtime
