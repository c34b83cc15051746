#include "simd/row_keys.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr int kWidth = static_cast<int>(sizeof(u64xn) / sizeof(std::uint64_t));

template <class T>
struct Narrow {
  typedef T Vector __attribute__((vector_size(kWidth * sizeof(T))));
};

template <class T>
MLWRIGHT_LANE f64xn widened(const T* p) {
  typename Narrow<T>::Vector v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, f64xn);
}
template <class Index>
MLWRIGHT_LANE u64xn columns_of(const Index* p) {
  typename Narrow<Index>::Vector v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, u64xn);
}

// What the entries in these lanes add to a key.
MLWRIGHT_LANE u64xn parts(f64xn x, u64xn column) {
  u64xn bits;
  std::memcpy(&bits, &x, sizeof bits);
  return spread_bits(bits ^ (column + 1) * 0x9E3779B97F4A7C15) & reinterpret_cast<u64xn>(bits << 1 != 0);
}
MLWRIGHT_LANE std::uint64_t total(u64xn lanes) {
  std::uint64_t sum = 0;
  for (int k = 0; k < kWidth; ++k) sum += lanes[k];
  return sum;
}

// The last n < kWidth entries, with zeros behind them, which count for nothing.
template <class T>
struct Padded {
  T of[kWidth] = {};
  Padded(const T* from, index_t n) { std::memcpy(of, from, static_cast<unsigned long>(n) * sizeof(T)); }
};

template <class T, class Index>
void sparse(const T* value, const Index* column, const Index* start, index_t rows, std::uint64_t* key) {
  for (index_t r = 0; r < rows; ++r) {
    u64xn sum{};
    index_t e = start[r];
    const index_t end = start[r + 1];
    for (; e + kWidth <= end; e += kWidth) sum += parts(widened(value + e), columns_of(column + e));
    if (e < end) sum += parts(widened(Padded<T>(value + e, end - e).of), columns_of(Padded<Index>(column + e, end - e).of));
    key[r] += total(sum);
  }
}

template <class T>
void dense(const T* x, index_t columns, index_t rows, std::uint64_t* key) {
  u64xn lane;
  for (int k = 0; k < kWidth; ++k) lane[k] = static_cast<std::uint64_t>(k);
  for (index_t r = 0; r < rows; ++r, x += columns) {
    u64xn sum{};
    index_t j = 0;
    for (; j + kWidth <= columns; j += kWidth) sum += parts(widened(x + j), lane + static_cast<std::uint64_t>(j));
    if (j < columns) sum += parts(widened(Padded<T>(x + j, columns - j).of), lane + static_cast<std::uint64_t>(j));
    key[r] += total(sum);
  }
}

}  // namespace

extern const RowKeysTable row_keys_table;
const RowKeysTable row_keys_table = {sparse<double, std::int32_t>, sparse<double, std::int64_t>, sparse<float, std::int32_t>,
                                     sparse<float, std::int64_t>,  dense<double>,                dense<float>};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
