#include "simd/binning.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

// A branch-free binary search, sixteen values at a time so that their loads overlap. `steps` halvings are enough: there
// are fewer than 2^steps thresholds that are not padding.
constexpr int kGroup = 16;

bool codes(const double* x, index_t n, const double* thresholds, int steps, std::uint8_t missing_code,
           std::uint8_t* code) {
  bool any_missing = false;
  for (index_t begin = 0; begin < n; begin += kGroup) {
    const int size = n - begin < kGroup ? static_cast<int>(n - begin) : kGroup;
    double value[kGroup] = {};
    __builtin_memcpy(value, x + begin, static_cast<unsigned>(size) * sizeof(double));
    std::int64_t position[kGroup] = {};
    for (int step = 1 << (steps - 1); step > 0; step >>= 1)
      for (int i = 0; i < kGroup; ++i)
        position[i] += thresholds[position[i] + step - 1] < value[i] ? step : 0;
    std::uint8_t out[kGroup];
    bool missing = false;
    for (int i = 0; i < kGroup; ++i) {
      const bool is_nan = value[i] != value[i];
      missing |= is_nan;
      out[i] = is_nan ? missing_code : static_cast<std::uint8_t>(position[i]);
    }
    any_missing |= missing;
    __builtin_memcpy(code + begin, out, static_cast<unsigned>(size));
  }
  return any_missing;
}

}  // namespace

extern const BinningTable binning_table;
const BinningTable binning_table = {codes};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
