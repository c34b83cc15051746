#include "simd/nearest.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

// Vectors and centres of a register tile: their products' sums fill half of the registers, or two thirds.
#if defined(__AVX512F__)
constexpr int kVectors = 4, kCenters = 4;
#elif defined(__AVX2__)
constexpr int kVectors = 2, kCenters = 6;
#else
constexpr int kVectors = 2, kCenters = 4;
#endif
typedef float f32xn __attribute__((vector_size(MLWRIGHT_NATIVE_BYTES)));
typedef std::int32_t i32xn __attribute__((vector_size(MLWRIGHT_NATIVE_BYTES)));
constexpr float kFar = 3.0e38f;
constexpr index_t kSquare = 16;  // points and coordinates that are turned at once, in the first-level cache

// Lanes of a tile that hold its points, in whole register tiles: the others are neither written nor looked at.
constexpr index_t kStep = kVectors * MLWRIGHT_NATIVE_BYTES / 4 > kSquare ? kVectors * MLWRIGHT_NATIVE_BYTES / 4 : kSquare;
MLWRIGHT_LANE index_t lanes_in_use(index_t count) { return (count + kStep - 1) / kStep * kStep; }

template <class V, class T>
MLWRIGHT_LANE V load_as(const T* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class V, class T>
MLWRIGHT_LANE void store_as(T* p, V v) {
  std::memcpy(p, &v, sizeof v);
}

struct Product {
  template <class V, class T>
  MLWRIGHT_LANE V term(V x, T c) { return x * c; }
};
struct SquaredDifference {
  template <class V, class T>
  MLWRIGHT_LANE V term(V x, T c) {
    const V d = x - c;
    return d * d;
  }
};

// sums over coordinates of Term for `centers` centres and kVectors vectors of points, handed to take(j, vector, sum).
template <class V, class T, class Term, int centers, class Take>
MLWRIGHT_LANE void register_tile(const T* tile, index_t p, const T* c, Take take) {
  constexpr int width = sizeof(V) / sizeof(T);
  V sum[centers][kVectors];
#pragma GCC unroll 8
  for (int j = 0; j < centers; ++j)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sum[j][v] = V{};
  for (index_t i = 0; i < p; ++i) {
    V x[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) x[v] = load_as<V>(tile + i * kTilePoints + v * width);
#pragma GCC unroll 8
    for (int j = 0; j < centers; ++j) {
      const T centre = c[j * p + i];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[j][v] += Term::term(x[v], centre);
    }
  }
#pragma GCC unroll 8
  for (int j = 0; j < centers; ++j)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) take(j, v, sum[j][v]);
}

// All centres for the points of a tile, in the order of the centres; take(j, first point, sum).
template <class V, class T, class Term, class Take>
MLWRIGHT_LANE void for_centers(const T* tile, index_t count, index_t p, const T* centers, index_t k, Take take) {
  constexpr int width = sizeof(V) / sizeof(T);
  for (index_t at = 0; at < count; at += kVectors * width) {
    index_t j = 0;
    for (; j + kCenters <= k; j += kCenters)
      register_tile<V, T, Term, kCenters>(tile + at, p, centers + j * p,
                                          [&](int i, int v, V sum) __attribute__((always_inline)) { take(j + i, at + v * width, sum); });
    for (; j < k; ++j)
      register_tile<V, T, Term, 1>(tile + at, p, centers + j * p,
                                   [&](int, int v, V sum) __attribute__((always_inline)) { take(j, at + v * width, sum); });
  }
}

void filter(const float* tile, index_t count, index_t p, const float* centers, const float* half_norm, index_t k,
            float largest, float slack, float tiny, NearestFound* found) {
  float best[kTilePoints], second[kTilePoints], norm[kTilePoints];
  const index_t used = lanes_in_use(count);
  for (index_t r = 0; r < used; ++r) best[r] = second[r] = kFar, norm[r] = 0.0f, found->label[r] = 0;
  constexpr int width = sizeof(f32xn) / sizeof(float);
  for (index_t at = 0; at < used; at += width) {
    f32xn sum{};
    for (index_t i = 0; i < p; ++i) {
      const f32xn x = load_as<f32xn>(tile + i * kTilePoints + at);
      sum += x * x;
    }
    store_as(norm + at, sum);
  }
  for_centers<f32xn, float, Product>(tile, count, p, centers, k, [&](index_t j, index_t at, f32xn sum) __attribute__((always_inline)) {
    const f32xn score = half_norm[j] - sum, b = load_as<f32xn>(best + at), s = load_as<f32xn>(second + at);
    const i32xn label = load_as<i32xn>(found->label + at);
    const auto nearer = score < b;
    store_as(second + at, nearer ? b : (score < s ? score : s));
    store_as(best + at, nearer ? score : b);
    store_as(found->label + at, nearer ? i32xn{} + static_cast<std::int32_t>(j) : label);
  });
  constexpr float kUp = 1.0f + 0x1p-20f, kDown = 1.0f - 0x1p-20f;
  for (index_t r = 0; r < used; ++r) {
    const float size = __builtin_sqrtf(norm[r]);
    const float error = slack * (norm[r] + size * largest + largest * largest) + tiny;
    const float most = norm[r] + 2.0f * (best[r] + error), least = norm[r] + 2.0f * (second[r] - error);
    found->certain[r] = second[r] - best[r] > 2.0f * error;
    found->upper[r] = __builtin_sqrtf(most > 0.0f ? most : 0.0f) * kUp;
    found->lower[r] = __builtin_sqrtf(least > 0.0f ? least : 0.0f) * kDown;
  }
}

void search(const double* tile, index_t count, index_t p, const double* centers, index_t k, NearestExact* found) {
  double label[kTilePoints];
  for (int r = 0; r < kTilePoints; ++r) found->best[r] = found->second[r] = __builtin_inf(), label[r] = 0.0;
  for_centers<f64xn, double, SquaredDifference>(
      tile, count, p, centers, k, [&](index_t j, index_t at, f64xn sum) __attribute__((always_inline)) {
        const f64xn b = load_as<f64xn>(found->best + at), s = load_as<f64xn>(found->second + at);
        const f64xn l = load_as<f64xn>(label + at);
        const auto nearer = sum < b;
        store_as(found->second + at, nearer ? b : (sum < s ? sum : s));
        store_as(found->best + at, nearer ? sum : b);
        store_as(label + at, nearer ? f64xn{} + static_cast<double>(j) : l);
      });
  for (int r = 0; r < kTilePoints; ++r) found->label[r] = static_cast<std::int32_t>(label[r]);
}

void all(const double* tile, index_t count, index_t p, const double* centers, index_t k, double* out) {
  for_centers<f64xn, double, SquaredDifference>(
      tile, count, p, centers, k,
      [&](index_t j, index_t at, f64xn sum) __attribute__((always_inline)) { store_as(out + j * kTilePoints + at, sum); });
}

template <class T>
MLWRIGHT_LANE void pack(const T* const* x, index_t count, index_t p, const double* shift, double unit, float* tile) {
  float square[kSquare][kSquare];
  for (index_t first = 0; first < lanes_in_use(count); first += kSquare) {
    for (index_t i = 0; i < p; i += kSquare) {
      const index_t columns = p - i < kSquare ? p - i : kSquare;
      for (index_t r = 0; r < kSquare; ++r) {
        if (first + r >= count) {
          for (index_t j = 0; j < columns; ++j) square[r][j] = 0.0f;
          continue;
        }
        const T* from = x[first + r] + i;
        for (index_t j = 0; j < columns; ++j)
          square[r][j] = static_cast<float>((static_cast<double>(from[j]) - shift[i + j]) * unit);
      }
      for (index_t j = 0; j < columns; ++j)
        for (index_t r = 0; r < kSquare; ++r) tile[(i + j) * kTilePoints + first + r] = square[r][j];
    }
  }
}

void pack_f64(const double* const* x, index_t count, index_t p, const double* shift, double unit, float* tile) {
  pack(x, count, p, shift, unit, tile);
}
void pack_f32(const float* const* x, index_t count, index_t p, const double* shift, double unit, float* tile) {
  pack(x, count, p, shift, unit, tile);
}

template <class T>
MLWRIGHT_LANE double between(const T* x, const double* c, index_t p) {
  f64x8 sum = splat(0.0);
  index_t i = 0;
  for (; i + kLanes <= p; i += kLanes) {
    f64x8 v;
    for (int l = 0; l < kLanes; ++l) v[l] = static_cast<double>(x[i + l]);
    const f64x8 d = v - load(c + i);
    sum += d * d;
  }
  double rest = 0.0;
  for (; i < p; ++i) {
    const double d = static_cast<double>(x[i]) - c[i];
    rest += d * d;
  }
  return sum_lanes(sum) + rest;
}

double between_f64(const double* x, const double* c, index_t p) { return between(x, c, p); }
double between_f32(const float* x, const double* c, index_t p) { return between(x, c, p); }

}  // namespace

extern const NearestTable nearest_table;
const NearestTable nearest_table = {pack_f64, pack_f32, filter, search, all, between_f64, between_f32};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
