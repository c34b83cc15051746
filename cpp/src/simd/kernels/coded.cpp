#include "simd/coded.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr int kWidth = static_cast<int>(sizeof(f64xn) / sizeof(double));

// to[j] += from[j] for one group of eight.
MLWRIGHT_LANE void add_group(const double* from, double* to) {
#pragma GCC unroll 8
  for (int j = 0; j < kGroup; j += kWidth) {
    f64xn a, b;
    std::memcpy(&a, to + j, sizeof a);
    std::memcpy(&b, from + j, sizeof b);
    a += b;
    std::memcpy(to + j, &a, sizeof a);
  }
}

void add_gram(const std::int32_t* codes, index_t features, const double* h, const double* weighted, index_t rows,
              index_t groups, index_t levels, double* gram, index_t width) {
  constexpr index_t kStream = kBlockRows * kGroup;
  for (index_t r = 0; r < rows; ++r) {
    const std::int32_t* own = codes + r * features;
    const double weight = h[r];
    for (index_t a = 0; a < features; ++a) {
      double* row = gram + own[a] * width;
      for (index_t b = a; b < features; ++b) row[own[b]] += weight;
      for (index_t g = 0; g < groups; ++g) add_group(weighted + g * kStream + r * kGroup, row + levels + g * kGroup);
    }
  }
}

}  // namespace

extern const CodedTable coded_table;
const CodedTable coded_table = {add_gram};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
