// Eight-lane vectors for the kernels in simd/kernels/: included by those files only.
//
// Written in GCC vector extensions, 64 bytes wide at every level; the compiler splits them into what the instruction set
// has (4 x SSE2, 2 x AVX2, 1 x AVX-512), which changes no lane's arithmetic. Together with a fixed order of combining
// lanes that makes the levels equal to the bit. Everything is static inside the level's namespace: no inline function or
// template of this header may be merged by the linker across levels.
#pragma once

#ifndef MLWRIGHT_SIMD_NAMESPACE
#error "lanes.hpp is for files compiled once per SIMD level"
#endif

#include <cstdint>
#include <cstring>

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {

inline constexpr int kLanes = 8;

typedef double f64x8 __attribute__((vector_size(64)));
typedef std::int64_t i64x8 __attribute__((vector_size(64)));
typedef std::uint64_t u64x8 __attribute__((vector_size(64)));
typedef float f32x16 __attribute__((vector_size(64)));
typedef std::int32_t i32x16 __attribute__((vector_size(64)));

// The widest vector that the instruction set has in one register: f64x8 is one, two or four of it.
#if defined(__AVX512F__)
#define MLWRIGHT_NATIVE_BYTES 64
#define MLWRIGHT_NATIVE_IS_WIDEST 1
#elif defined(__AVX2__)
#define MLWRIGHT_NATIVE_BYTES 32
#define MLWRIGHT_NATIVE_IS_WIDEST 0
#else
#define MLWRIGHT_NATIVE_BYTES 16
#define MLWRIGHT_NATIVE_IS_WIDEST 0
#endif
typedef double f64xn __attribute__((vector_size(MLWRIGHT_NATIVE_BYTES)));
typedef std::int64_t i64xn __attribute__((vector_size(MLWRIGHT_NATIVE_BYTES)));
typedef std::uint64_t u64xn __attribute__((vector_size(MLWRIGHT_NATIVE_BYTES)));

#define MLWRIGHT_LANE static inline __attribute__((always_inline))

MLWRIGHT_LANE f64x8 splat(double x) { return f64x8{x, x, x, x, x, x, x, x}; }
MLWRIGHT_LANE i64x8 splat(std::int64_t x) { return i64x8{x, x, x, x, x, x, x, x}; }

MLWRIGHT_LANE f64x8 load(const double* p) {
  f64x8 v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
MLWRIGHT_LANE void store(double* p, f64x8 v) { std::memcpy(p, &v, sizeof v); }

// The first n < 8 lanes; the others are `fill` on load and left alone on store.
MLWRIGHT_LANE f64x8 load_first(const double* p, int n, double fill) {
  f64x8 v = splat(fill);
  std::memcpy(&v, p, static_cast<unsigned>(n) * sizeof(double));
  return v;
}
MLWRIGHT_LANE void store_first(double* p, int n, f64x8 v) { std::memcpy(p, &v, static_cast<unsigned>(n) * sizeof(double)); }

// Lane-wise choice: mask lanes are 0 or -1, as vector comparisons give them.
MLWRIGHT_LANE f64x8 select(i64x8 mask, f64x8 yes, f64x8 no) { return mask ? yes : no; }

// f over the native-width parts of x. gcc 12 lowers `+ - * /` of wide vectors to native ones but comparisons and choices
// to one element at a time: code that compares goes through here.
template <class F>
MLWRIGHT_LANE f64x8 by_parts(f64x8 x, F f) {
  f64xn parts[sizeof(f64x8) / sizeof(f64xn)];
  std::memcpy(parts, &x, sizeof x);
#pragma GCC unroll 4
  for (f64xn& part : parts) part = f(part);
  std::memcpy(&x, parts, sizeof x);
  return x;
}

// The one order in which lanes are summed: ((0+4)+(2+6)) + ((1+5)+(3+7)).
MLWRIGHT_LANE double sum_lanes(f64x8 v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
