#include "simd/shap.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr double kZeroBound = 1e-35f;  // as in tree/forest.hpp

// Plain loops over a block: the compiler turns each into the level's own compares and packs.
void compare(const double* x, double threshold, bool missing_left, RowMask* mask) {
  if (missing_left)
    for (int r = 0; r < kShapRows; ++r) mask[r] = x[r] > threshold ? 0 : 0xffff;
  else
    for (int r = 0; r < kShapRows; ++r) mask[r] = x[r] <= threshold ? 0xffff : 0;
}

void compare_zero_missing(const double* x, double threshold, bool missing_left, RowMask* mask) {
  const RowMask missing = missing_left ? 0xffff : 0;
  for (int r = 0; r < kShapRows; ++r) {
    const bool is_missing = !(__builtin_fabs(x[r]) > kZeroBound);
    mask[r] = is_missing ? missing : (x[r] <= threshold ? 0xffff : 0);
  }
}

void narrow(const RowMask* mask, bool complement, RowMask* all) {
  const RowMask flip = complement ? 0xffff : 0;
  for (int r = 0; r < kShapRows; ++r) all[r] = static_cast<RowMask>(all[r] & (mask[r] ^ flip));
}

void add_bit(const RowMask* mask, RowMask bit, RowMask* id) {
  for (int r = 0; r < kShapRows; ++r) id[r] = static_cast<RowMask>(id[r] | (mask[r] & bit));
}

void to_numbers(const RowMask* mask, double* present) {
  for (int r = 0; r < kShapRows; ++r) present[r] = mask[r] ? 1.0 : 0.0;
}

// One vector of the instruction set's own width: of f64x8, gcc 12 at AVX2 passes every value through memory.
constexpr int kNative = MLWRIGHT_NATIVE_BYTES / static_cast<int>(sizeof(double));
MLWRIGHT_LANE f64xn load_native(const double* p) {
  f64xn v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
MLWRIGHT_LANE void store_native(double* p, f64xn v) { std::memcpy(p, &v, sizeof v); }
MLWRIGHT_LANE f64xn all_native(double x) { return f64xn{} + x; }

// What all absent features add is the same number: it is summed once a row, not once a feature.
void path_values(const PathPolynomial& path, const double* present, int n, double* out) {
  for (int r = 0; r < (n + kLanes - 1) / kLanes * kLanes; r += kNative) {
    f64xn absent = all_native(0.0);
    for (int i = 0; i < path.d; ++i) store_native(out + i * kShapRows + r, all_native(0.0));
    for (int q = 0; q < path.n_points; ++q) {
      f64xn product = all_native(path.weight[q]);
      for (int i = 0; i < path.d; ++i)
        product *= path.absent[i * path.n_points + q] + load_native(present + i * kShapRows + r) * path.point[q];
      absent += product * path.absent_ratio[q];
      for (int i = 0; i < path.d; ++i) {
        double* sum = out + i * kShapRows + r;
        store_native(sum, load_native(sum) + product * path.ratio[i * path.n_points + q]);
      }
    }
    for (int i = 0; i < path.d; ++i) {
      const f64xn here = load_native(present + i * kShapRows + r);
      double* sum = out + i * kShapRows + r;
      store_native(sum, load_native(sum) * here + absent * (1.0 - here));
    }
  }
}

void path_pairs(const PathPolynomial& path, const double* present, int n, double* scratch, double* out) {
  for (int r = 0; r < (n + kLanes - 1) / kLanes * kLanes; r += kNative) {
    const int n_pairs = path.d * (path.d - 1) / 2;
    for (int pair = 0; pair < n_pairs; ++pair) store_native(out + pair * kShapRows + r, all_native(0.0));
    for (int q = 0; q < path.n_points; ++q) {
      f64xn product = all_native(path.weight[q] * 0.5);
      for (int i = 0; i < path.d; ++i) {
        const f64xn here = load_native(present + i * kShapRows + r);
        product *= path.absent[i * path.n_points + q] + here * path.point[q];
        store_native(scratch + i * kNative, path.ratio[i * path.n_points + q] * here + path.absent_ratio[q] * (1.0 - here));
      }
      double* sum = out + r;
      for (int i = 0; i < path.d; ++i) {
        const f64xn first = product * load_native(scratch + i * kNative);
        for (int j = i + 1; j < path.d; ++j, sum += kShapRows)
          store_native(sum, load_native(sum) + first * load_native(scratch + j * kNative));
      }
    }
  }
}

void add_entries(const double* table, const RowMask* id, int n, const std::uint32_t* offset, int n_blocks, double* sums,
                 index_t stride) {
  for (int r = 0; r < n; ++r) {
    const double* entry = table + static_cast<index_t>(id[r]) * n_blocks * kShapLanes;
    double* row = sums + r * stride;
    for (int b = 0; b < n_blocks; ++b) store(row + offset[b], load(row + offset[b]) + load(entry + b * kShapLanes));
  }
}

}  // namespace

extern const ShapTable shap_table;
const ShapTable shap_table = {compare,    compare_zero_missing, narrow,     add_bit,
                              to_numbers, path_values,          path_pairs, add_entries};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
