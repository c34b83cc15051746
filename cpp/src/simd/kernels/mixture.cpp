#include "simd/mixture.hpp"

#include "simd/lane_math.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr index_t kTile = kMixtureTile;
constexpr index_t kWidth = sizeof(f64xn) / sizeof(double);
constexpr int kParts = kLanes / kWidth;  // registers that eight lanes take
// Registers of rows, and columns by columns of squares, whose sums stay in registers.
#if defined(__AVX512F__)
constexpr int kVectors = 4, kSquare = 4;
#else
constexpr int kVectors = 2, kSquare = 2;
#endif
constexpr index_t kStep = kVectors * kWidth;

MLWRIGHT_LANE f64xn take(const double* p) {
  f64xn v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
MLWRIGHT_LANE void put(double* p, f64xn v) { std::memcpy(p, &v, sizeof v); }

void centre(const double* x, const double* mean, index_t rows, index_t d, double* z) {
  for (index_t j = 0; j < d; ++j)
    for (index_t r = 0; r < rows; r += kWidth) put(z + j * rows + r, take(x + j * rows + r) - mean[j]);
}

// visit(j, y): y = four columns of U' z, from column j on, for kStep rows.
template <class Visit>
MLWRIGHT_LANE void for_triangle_tiles(const double* z, const double* u, index_t rows, index_t padded, Visit&& visit) {
  for (index_t j = 0; j < padded; j += kTile) {
    f64xn y[kTile][kVectors] = {};
    const double* zi = z;
    for (index_t i = 0; i < j + kTile; ++i, u += kTile, zi += rows) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const f64xn one = take(zi + v * kWidth);
#pragma GCC unroll 4
        for (int c = 0; c < kTile; ++c) y[c][v] += one * u[c];
      }
    }
    visit(j, y);
  }
}

void triangle_distance(const double* z, const double* tiles, index_t rows, index_t padded, double* out) {
  for (index_t r = 0; r < rows; r += kStep) {
    f64xn total[kVectors] = {};
    for_triangle_tiles(z + r, tiles, rows, padded, [&](index_t, const f64xn (&y)[kTile][kVectors]) __attribute__((always_inline)) {
#pragma GCC unroll 4
      for (int c = 0; c < kTile; ++c)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) total[v] += y[c][v] * y[c][v];
    });
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) put(out + r + v * kWidth, total[v]);
  }
}

void triangle_product(const double* z, const double* tiles, index_t rows, index_t padded, double* out) {
  for (index_t r = 0; r < rows; r += kStep)
    for_triangle_tiles(z + r, tiles, rows, padded, [&](index_t j, const f64xn (&y)[kTile][kVectors]) __attribute__((always_inline)) {
#pragma GCC unroll 4
      for (int c = 0; c < kTile; ++c)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) put(out + (j + c) * rows + r + v * kWidth, y[c][v]);
    });
}

void scaled_distance(const double* z, const double* scale, index_t rows, index_t d, double* out) {
  for (index_t r = 0; r < rows; r += kStep) {
    f64xn total[kVectors] = {};
    for (index_t j = 0; j < d; ++j)
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const f64xn y = take(z + j * rows + r + v * kWidth) * scale[j];
        total[v] += y * y;
      }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) put(out + r + v * kWidth, total[v]);
  }
}

void log_joint(const double* constants, index_t rows, index_t k, double* joint, double* log_sum) {
  for (index_t r = 0; r < rows; r += kWidth) {
    f64xn most{};
    most -= __builtin_inf();
    for (index_t c = 0; c < k; ++c) {
      double* at = joint + c * rows + r;
      const f64xn value = constants[c] - 0.5 * take(at);
      put(at, value);
      most = select(value > most, value, most);
    }
    f64xn sum{};
    for (index_t c = 0; c < k; ++c) sum += exp(take(joint + c * rows + r) - most);
    const f64xn total = most + log(sum);
    put(log_sum + r, total);
  }
}

void normalise(const double* log_sum, index_t rows, index_t k, double* joint, double* entropy) {
  for (index_t r = 0; r < rows; r += kWidth) {
    const f64xn total = take(log_sum + r);
    f64xn sum{};
    for (index_t c = 0; c < k; ++c) {
      double* at = joint + c * rows + r;
      const f64xn log_share = take(at) - total, share = exp(log_share);
      put(at, share);
      sum -= select(share == 0.0, f64xn{}, share * log_share);  // 0 log 0 = 0
    }
    put(entropy + r, sum);
  }
}

// Sums over rows: row r in lane r % 8, whatever the width of a register.
struct LaneSum {
  f64xn part[kParts];
  MLWRIGHT_LANE double total(const LaneSum& sum) {
    f64x8 all;
    std::memcpy(&all, sum.part, sizeof all);
    return sum_lanes(all);
  }
};

void scale_rows(const double* z, const double* r, index_t rows, index_t columns, double* out) {
  for (index_t j = 0; j < columns; ++j)
    for (index_t i = 0; i < rows; i += kWidth) put(out + j * rows + i, take(z + j * rows + i) * take(r + i));
}

double sum_of(const double* a, index_t rows) {
  LaneSum sum{};
  for (index_t i = 0; i < rows; i += kLanes)
#pragma GCC unroll 4
    for (int p = 0; p < kParts; ++p) sum.part[p] += take(a + i + p * kWidth);
  return LaneSum::total(sum);
}

// kSquare x kSquare products of columns, summed over the rows.
MLWRIGHT_LANE void add_products(const double* a, const double* b, index_t rows, index_t stride, double* out) {
  LaneSum sum[kSquare][kSquare] = {};
  for (index_t r = 0; r < rows; r += kLanes)
#pragma GCC unroll 4
    for (int p = 0; p < kParts; ++p) {
      f64xn right[kSquare];
#pragma GCC unroll 4
      for (int j = 0; j < kSquare; ++j) right[j] = take(b + j * rows + r + p * kWidth);
#pragma GCC unroll 4
      for (int i = 0; i < kSquare; ++i) {
        const f64xn left = take(a + i * rows + r + p * kWidth);
#pragma GCC unroll 4
        for (int j = 0; j < kSquare; ++j) sum[i][j].part[p] += left * right[j];
      }
    }
#pragma GCC unroll 4
  for (int i = 0; i < kSquare; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < kSquare; ++j) out[i * stride + j] += LaneSum::total(sum[i][j]);
}

void full_moments(const double* z, const double* r, index_t rows, index_t padded, double* scratch, double* mass, double* sums,
                  double* squares) {
  scale_rows(z, r, rows, padded, scratch);
  *mass += sum_of(r, rows);
  for (index_t i = 0; i < padded; ++i) sums[i] += sum_of(scratch + i * rows, rows);
  for (index_t i = 0; i < padded; i += kSquare)
    for (index_t j = 0; j <= i; j += kSquare)
      add_products(scratch + i * rows, z + j * rows, rows, padded, squares + i * padded + j);
}

void diagonal_moments(const double* z, const double* r, index_t rows, index_t d, double* mass, double* sums, double* squares) {
  *mass += sum_of(r, rows);
  for (index_t j = 0; j < d; ++j) {
    LaneSum first{}, second{};
    for (index_t i = 0; i < rows; i += kLanes)
#pragma GCC unroll 4
      for (int p = 0; p < kParts; ++p) {
        const f64xn zj = take(z + j * rows + i + p * kWidth), weighed = zj * take(r + i + p * kWidth);
        first.part[p] += weighed;
        second.part[p] += weighed * zj;
      }
    sums[j] += LaneSum::total(first);
    if (squares != nullptr) squares[j] += LaneSum::total(second);
  }
}

}  // namespace

extern const MixtureTable mixture_table;
const MixtureTable mixture_table = {centre,    triangle_distance, triangle_product, scaled_distance,
                                    log_joint, normalise,         full_moments,     diagonal_moments};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
