// The register tile of a Gram matrix, of doubles or of floats, and what it asks of memory meanwhile.
//
// Every element is a sum over the rows of a block in their order, then added to the Gram in double precision: tile shapes
// may differ between instruction sets without changing a bit.
#pragma once

#include "simd/gram.hpp"
#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {  // nothing may be merged by the linker across levels

// Vectors as wide as the instruction set has them, so that nothing is split or spilled, and no wider than a group. With
// separate multiply and add pipes, tiles of this shape reach the rate that fused multiply-adds would.
template <class E>
struct TileOf;

#if defined(__AVX512F__)
constexpr int kTileColumns = 4;
template <>
struct TileOf<double> { static constexpr int width = 8, vectors = 4; };
template <>
struct TileOf<float> { static constexpr int width = 8, vectors = 4; };
#elif defined(__AVX2__)
constexpr int kTileColumns = 4;
template <>
struct TileOf<double> { static constexpr int width = 4, vectors = 2; };
template <>
struct TileOf<float> { static constexpr int width = 8, vectors = 2; };
#else
constexpr int kTileColumns = 2;
template <>
struct TileOf<double> { static constexpr int width = 2, vectors = 4; };
template <>
struct TileOf<float> { static constexpr int width = 4, vectors = 4; };
#endif

typedef double doubles __attribute__((vector_size(TileOf<double>::width * 8)));
typedef float singles __attribute__((vector_size(TileOf<float>::width * 4)));

MLWRIGHT_LANE doubles load_vec(const double* p) {
  doubles v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
MLWRIGHT_LANE singles load_vec(const float* p) {
  singles v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
MLWRIGHT_LANE void store_vec(double* p, doubles v) { std::memcpy(p, &v, sizeof v); }
MLWRIGHT_LANE void store_vec(float* p, singles v) { std::memcpy(p, &v, sizeof v); }

// What a block's sums are multiplied by when they are added to the Gram; of doubles by nothing.
struct One {};
MLWRIGHT_LANE void add_to(double* out, doubles sum, One) { store_vec(out, load_vec(out) + sum); }
MLWRIGHT_LANE void add_to(double* out, singles sum, double unit) {
  float lanes[TileOf<float>::width];
  store_vec(lanes, sum);
  for (int k = 0; k < TileOf<float>::width; ++k) out[k] += static_cast<double>(lanes[k]) * unit;
}

// Asks for the lines of the memory ahead, a few at each of `times` calls: asked for all at once they would have to wait for
// each other, and arithmetic for them.
class Lines {
 public:
  Lines(const Ahead& ahead, index_t times) : run_(ahead.data), at_(ahead.data), ahead_(ahead) {
    const index_t lines = (ahead.bytes + kLineBytes - 1) / kLineBytes * ahead.runs;
    each_ = times > 0 ? (lines + times - 1) / times : 0;
  }
  void ask() {
    for (index_t k = 0; k < each_ && ahead_.runs > 0; ++k) {
      __builtin_prefetch(at_, 0, 2);
      at_ += kLineBytes;
      if (at_ < run_ + ahead_.bytes) continue;
      at_ = run_ += ahead_.stride;
      --ahead_.runs;
    }
  }

 private:
  static constexpr index_t kLineBytes = 64;
  const char *run_, *at_;
  Ahead ahead_;
  index_t each_;
};

// `vectors` vectors of a (consecutive columns) by kTileColumns broadcast columns of b; `stream` elements from a group to the
// next.
template <int vectors, class E, class Unit>
MLWRIGHT_LANE void tile(const E* a, const E* b, index_t stream, index_t rows, double* c, index_t ldc, Unit unit) {
  constexpr int width = TileOf<E>::width;
  using Vec = decltype(load_vec(a));
  Vec sum[kTileColumns][vectors];
  for (int j = 0; j < kTileColumns; ++j)
    for (int v = 0; v < vectors; ++v) sum[j][v] = Vec{};
#pragma GCC unroll 2  // else the counter keeps the decoders from feeding both kinds of pipes
  for (index_t r = 0; r < rows; ++r) {
    Vec x[vectors];
    for (int v = 0; v < vectors; ++v) x[v] = load_vec(a + (v * width / kGroup) * stream + (v * width) % kGroup + r * kGroup);
#pragma GCC unroll 8
    for (int j = 0; j < kTileColumns; ++j) {
      const E y = b[r * kGroup + j];
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) sum[j][v] += x[v] * y;
    }
  }
  for (int j = 0; j < kTileColumns; ++j)
    for (int v = 0; v < vectors; ++v) add_to(c + j * ldc + v * width, sum[j][v], unit);
}

template <int vectors, class E, class Unit>
void tile_group(const E* a, const E* b, index_t stream, index_t rows, double* c, index_t ldc, Unit unit, Lines& lines) {
  for (int j = 0; j < kGroup; j += kTileColumns) {
    lines.ask();
    tile<vectors>(a, b + j, stream, rows, c + j * ldc, ldc, unit);
  }
}

// As GramTable::rank_update says.
template <class E, class Unit>
MLWRIGHT_LANE void update(const E* a, const E* b, index_t stream, index_t rows, index_t i_begin, index_t i_end,
                          index_t j_begin, index_t j_end, double* c, index_t ldc, Unit unit, const Ahead& ahead) {
  constexpr int group_vectors = kGroup / TileOf<E>::width;    // vectors a group
  constexpr int groups = TileOf<E>::vectors / group_vectors;  // groups a full tile
  index_t tiles = 0;
  for (index_t j = j_begin; j < j_end; ++j) {
    const index_t i = i_begin > j ? i_begin : j;
    if (i < i_end) tiles += (i_end - i + groups - 1) / groups * (kGroup / kTileColumns);
  }
  Lines lines(ahead, tiles);
  for (index_t j = j_begin; j < j_end; ++j) {
    const E* bj = b + j * stream;
    double* cj = c + j * kGroup * ldc;
    index_t i = i_begin > j ? i_begin : j;
    for (; i + groups <= i_end; i += groups)
      tile_group<TileOf<E>::vectors>(a + i * stream, bj, stream, rows, cj + i * kGroup, ldc, unit, lines);
    const auto rest = [&]<int of>() {
      tile_group<of * group_vectors>(a + i * stream, bj, stream, rows, cj + i * kGroup, ldc, unit, lines);
    };
    switch (i_end - i) {  // fewer than `groups` are left: at most three
      case 3: if constexpr (groups > 3) rest.template operator()<3>(); break;
      case 2: if constexpr (groups > 2) rest.template operator()<2>(); break;
      case 1: if constexpr (groups > 1) rest.template operator()<1>(); break;
      default: break;
    }
  }
}

}  // namespace
}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
