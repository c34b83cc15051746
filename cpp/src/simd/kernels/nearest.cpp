#include "simd/nearest.hpp"

#if defined(__FMA__)
#include <immintrin.h>
#endif

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
typedef float f32x4 __attribute__((vector_size(16)));
typedef std::int32_t i32x4 __attribute__((vector_size(16)));
typedef double f64x4 __attribute__((vector_size(32)));
typedef float f32half __attribute__((vector_size(MLWRIGHT_NATIVE_BYTES / 2)));
constexpr float kFar = 3.0e38f;

// Points of a strip. The filter's tile is its strips one after the other, [strip][coordinate][kStrip]: a register tile reads
// memory from front to back.
constexpr index_t kStrip = kVectors * MLWRIGHT_NATIVE_BYTES / 4;

// Lanes of a tile that hold its points, in whole strips: the others are neither written nor looked at.
MLWRIGHT_LANE index_t lanes_in_use(index_t count) { return (count + kStrip - 1) / kStrip * kStrip; }

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

// What a coordinate adds. Of products a fused multiply-add may be taken: the filter bounds its rounding, so no label depends
// on it. Squared differences decide labels: they are the same numbers at every level.
struct Product {
  static constexpr index_t kBlock = kNearestBlock;
  MLWRIGHT_LANE f32xn add(f32xn sum, f32xn x, float c) {
#if defined(__AVX512F__)
    return (f32xn)_mm512_fmadd_ps((__m512)x, _mm512_set1_ps(c), (__m512)sum);
#elif defined(__FMA__)
    return (f32xn)_mm256_fmadd_ps((__m256)x, _mm256_set1_ps(c), (__m256)sum);
#else
    return sum + x * c;
#endif
  }
};
struct SquaredDifference {
  static constexpr index_t kBlock = index_t{1} << 62;  // one sum in the order of the coordinates
  template <class V, class T>
  MLWRIGHT_LANE V add(V sum, V x, T c) {
    const V d = x - c;
    return sum + d * d;
  }
};

// sums over coordinates of Term for `centers` centres and kVectors vectors of points, handed to take(j, vector, sum). Sums of
// Term::kBlock coordinates at a time are added up, so that rounding grows with kBlock + p / kBlock and not with p.
template <class V, class T, class Term, index_t stride, int centers, class Take>
MLWRIGHT_LANE void register_tile(const T* tile, index_t p, const T* c, Take take) {
  constexpr int width = sizeof(V) / sizeof(T);
  V sum[centers][kVectors], total[centers][kVectors]{};
  for (index_t begin = 0; begin < p; begin += Term::kBlock) {
    const index_t end = p - begin < Term::kBlock ? p : begin + Term::kBlock;
#pragma GCC unroll 8
    for (int j = 0; j < centers; ++j)
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[j][v] = V{};
    for (index_t i = begin; i < end; ++i) {
      V x[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) x[v] = load_as<V>(tile + i * stride + v * width);
#pragma GCC unroll 8
      for (int j = 0; j < centers; ++j) {
        const T centre = c[j * p + i];
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[j][v] = Term::add(sum[j][v], x[v], centre);
      }
    }
#pragma GCC unroll 8
    for (int j = 0; j < centers; ++j)
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) total[j][v] += sum[j][v];
  }
#pragma GCC unroll 8
  for (int j = 0; j < centers; ++j)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) take(j, v, total[j][v]);
}

// All centres for the points of a tile, in the order of the centres; take(j, first point, sum). The points that a register
// tile reads start at strip(first point), coordinates `stride` apart. Centres outside: a few of them stay in the first-level
// cache while the points go by.
template <class V, class T, class Term, index_t stride, class Strip, class Take>
MLWRIGHT_LANE void for_centers(Strip strip, index_t count, index_t p, const T* centers, index_t k, Take take) {
  constexpr int step = kVectors * sizeof(V) / sizeof(T), width = sizeof(V) / sizeof(T);
  const auto some = [&]<int n>(index_t j) __attribute__((always_inline)) {
    for (index_t at = 0; at < count; at += step)
      register_tile<V, T, Term, stride, n>(strip(at), p, centers + j * p, [&](int i, int v, V sum) __attribute__((always_inline)) {
        take(j + i, at + v * width, sum);
      });
  };
  index_t j = 0;
  for (; j + kCenters <= k; j += kCenters) some.template operator()<kCenters>(j);
  if constexpr (kCenters > 5)
    if (k - j == 5) return some.template operator()<5>(j);
  if constexpr (kCenters > 4)
    if (k - j == 4) return some.template operator()<4>(j);
  if (k - j == 3) return some.template operator()<3>(j);
  if (k - j == 2) return some.template operator()<2>(j);
  if (k - j == 1) return some.template operator()<1>(j);
}

void filter(const float* tile, index_t count, index_t p, const float* centers, const float* half_norm, index_t k,
            float largest, float slack, float tiny, NearestFound* found) {
  float best[kTilePoints], second[kTilePoints], norm[kTilePoints];
  const index_t used = lanes_in_use(count);
  for (index_t r = 0; r < used; ++r) best[r] = second[r] = kFar, norm[r] = 0.0f, found->label[r] = 0;
  constexpr int width = sizeof(f32xn) / sizeof(float);
  for (index_t at = 0; at < used; at += kStrip) {
    f32xn total[kVectors]{};
    for (index_t begin = 0; begin < p; begin += kNearestBlock) {
      f32xn sum[kVectors]{};
      for (index_t i = begin; i < p && i < begin + kNearestBlock; ++i)
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) {
          const f32xn x = load_as<f32xn>(tile + at * p + i * kStrip + v * width);
          sum[v] += x * x;
        }
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) total[v] += sum[v];
    }
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) store_as(norm + at + v * width, total[v]);
  }
  const auto strip = [&](index_t at) __attribute__((always_inline)) { return tile + at * p; };
  for_centers<f32xn, float, Product, kStrip>(strip, count, p, centers, k, [&](index_t j, index_t at, f32xn sum) __attribute__((always_inline)) {
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
  const auto strip = [&](index_t at) __attribute__((always_inline)) { return tile + at; };
  for_centers<f64xn, double, SquaredDifference, kTilePoints>(
      strip, count, p, centers, k, [&](index_t j, index_t at, f64xn sum) __attribute__((always_inline)) {
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
  const auto strip = [&](index_t at) __attribute__((always_inline)) { return tile + at; };
  for_centers<f64xn, double, SquaredDifference, kTilePoints>(
      strip, count, p, centers, k,
      [&](index_t j, index_t at, f64xn sum) __attribute__((always_inline)) { store_as(out + j * kTilePoints + at, sum); });
}

// Four coordinates of four points, turned: out[i] holds coordinate i of the points.
MLWRIGHT_LANE void turn(const f32x4* row, f32x4* out) {
  const f32x4 low01 = __builtin_shuffle(row[0], row[1], i32x4{0, 4, 1, 5}), high01 = __builtin_shuffle(row[0], row[1], i32x4{2, 6, 3, 7});
  const f32x4 low23 = __builtin_shuffle(row[2], row[3], i32x4{0, 4, 1, 5}), high23 = __builtin_shuffle(row[2], row[3], i32x4{2, 6, 3, 7});
  out[0] = __builtin_shuffle(low01, low23, i32x4{0, 1, 4, 5});
  out[1] = __builtin_shuffle(low01, low23, i32x4{2, 3, 6, 7});
  out[2] = __builtin_shuffle(high01, high23, i32x4{0, 1, 4, 5});
  out[3] = __builtin_shuffle(high01, high23, i32x4{2, 3, 6, 7});
}

MLWRIGHT_LANE f64x4 four(const double* x) { return load_as<f64x4>(x); }
MLWRIGHT_LANE f64x4 four(const float* x) { return __builtin_convertvector(load_as<f32x4>(x), f64x4); }

template <class T>
MLWRIGHT_LANE void pack(const T* const* x, index_t count, index_t p, const double* shift, double unit, float* tile) {
  for (index_t r = 0; r < lanes_in_use(count); r += 4) {
    float* to = tile + r / kStrip * kStrip * p + r % kStrip;
    index_t i = 0;
    for (; r + 4 <= count && i + 4 <= p; i += 4) {
      f32x4 row[4], turned[4];
      const f64x4 origin = four(shift + i);
#pragma GCC unroll 4
      for (int l = 0; l < 4; ++l) row[l] = __builtin_convertvector((four(x[r + l] + i) - origin) * unit, f32x4);
      turn(row, turned);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) store_as(to + (i + j) * kStrip, turned[j]);
    }
    for (; i < p; ++i)
      for (index_t l = 0; l < 4; ++l)
        to[i * kStrip + l] = r + l < count ? static_cast<float>((static_cast<double>(x[r + l][i]) - shift[i]) * unit) : 0.0f;
  }
}

void pack_f64(const double* const* x, index_t count, index_t p, const double* shift, double unit, float* tile) {
  pack(x, count, p, shift, unit, tile);
}
void pack_f32(const float* const* x, index_t count, index_t p, const double* shift, double unit, float* tile) {
  pack(x, count, p, shift, unit, tile);
}

MLWRIGHT_LANE f64xn wide(const double* x) { return load_as<f64xn>(x); }
MLWRIGHT_LANE f64xn wide(const float* x) { return __builtin_convertvector(load_as<f32half>(x), f64xn); }

template <class T>
MLWRIGHT_LANE double between(const T* x, const double* c, index_t p) {
  constexpr int width = sizeof(f64xn) / sizeof(double), parts = kLanes / width;
  f64xn sum[parts]{};
  index_t i = 0;
  for (; i + kLanes <= p; i += kLanes)
#pragma GCC unroll 4
    for (int part = 0; part < parts; ++part) {
      const f64xn d = wide(x + i + part * width) - load_as<f64xn>(c + i + part * width);
      sum[part] += d * d;
    }
  double rest = 0.0;
  for (; i < p; ++i) {
    const double d = static_cast<double>(x[i]) - c[i];
    rest += d * d;
  }
  f64x8 lanes;
  std::memcpy(&lanes, sum, sizeof lanes);
  return sum_lanes(lanes) + rest;
}

double between_f64(const double* x, const double* c, index_t p) { return between(x, c, p); }
double between_f32(const float* x, const double* c, index_t p) { return between(x, c, p); }

}  // namespace

extern const NearestTable nearest_table;
const NearestTable nearest_table = {pack_f64, pack_f32, filter, search, all, between_f64, between_f32};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
