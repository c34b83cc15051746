// The floating-point control word: rounding, flush-to-zero, denormals-are-zero.
//
// Workers adopt the caller's, region by region. Libraries built with -ffast-math set flush-to-zero on the thread that
// loads them; without this, a denormal would survive or not depending on which thread met it.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mlwright::runtime {

#if defined(__x86_64__)
// Control bits only: the sticky exception flags (low six) belong to each thread.
inline constexpr std::uint32_t kFloatFlags = 0x3F;
inline std::uint64_t float_state() noexcept { return _mm_getcsr() & ~kFloatFlags; }
inline void adopt_float_state(std::uint64_t state) noexcept {
  const std::uint32_t mine = _mm_getcsr();
  const std::uint32_t wanted = static_cast<std::uint32_t>(state) | (mine & kFloatFlags);
  if (wanted != mine) _mm_setcsr(wanted);
}
#elif defined(__aarch64__)
inline std::uint64_t float_state() noexcept {
  std::uint64_t state;
  __asm__ volatile("mrs %0, fpcr" : "=r"(state));
  return state;
}
inline void adopt_float_state(std::uint64_t state) noexcept { __asm__ volatile("msr fpcr, %0" ::"r"(state)); }
#else
inline std::uint64_t float_state() noexcept { return 0; }
inline void adopt_float_state(std::uint64_t) noexcept {}
#endif

}  // namespace mlwright::runtime
