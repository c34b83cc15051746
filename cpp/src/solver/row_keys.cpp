#include "mlwright/solver/row_keys.hpp"

#include <cstring>
#include <type_traits>

#include "mlwright/runtime/parallel.hpp"
#include "simd/row_keys.hpp"

namespace mlwright::solver {
namespace {

constexpr index_t kRowsAtOnce = 1024;
constexpr int kBrief = 8;
constexpr index_t kAhead = 16;  // rows between asking for one and reading it

std::uint64_t bits_of(double x) {
  std::uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

template <class T>
void add_keys(const DenseRows<T>& rows, index_t begin, index_t count, std::uint64_t* key) {
  const simd::RowKeysTable& table = simd::row_keys();
  const T* x = rows.values(begin).data();
  if constexpr (std::is_same_v<T, double>) table.dense64(x, rows.cols(), count, key);
  else table.dense32(x, rows.cols(), count, key);
}

template <class T, class Index>
void add_keys(const CsrRows<T, Index>& rows, index_t begin, index_t count, std::uint64_t* key) {
  const simd::RowKeysTable& table = simd::row_keys();
  constexpr bool wide = std::is_same_v<Index, std::int64_t>;
  const auto sums = [&] {
    if constexpr (std::is_same_v<T, double>) {
      if constexpr (wide) return table.sparse64_64;
      else return table.sparse64_32;
    } else {
      if constexpr (wide) return table.sparse32_64;
      else return table.sparse32_32;
    }
  }();
  sums(rows.data(), rows.indices(), rows.starts() + begin, count, key);
}

// key = spread of the target's part and of what add(begin, count, keys) adds for the rows.
template <class Add>
void keys_of(std::span<const double> y, std::span<std::uint64_t> keys, runtime::CancelToken& token, Add&& add) {
  runtime::parallel_for(static_cast<index_t>(y.size()), kRowsAtOnce, token, [&](index_t, index_t begin, index_t end) {
    const auto part = keys.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    const double* target = y.data() + begin;
    for (std::uint64_t& key : part) key = simd::spread_bits(bits_of(*target++) + 1);
    add(begin, end - begin, part.data());
    for (std::uint64_t& key : part) key = simd::spread_bits(key);
  });
}

}  // namespace

template <class Rows>
void row_keys(const Rows& rows, std::span<const double> y, std::span<std::uint64_t> keys, runtime::CancelToken& token) {
  keys_of(y, keys, token, [&](index_t begin, index_t count, std::uint64_t* key) { add_keys(rows, begin, count, key); });
}

template <class Rows>
void brief_keys(const Rows& rows, std::span<const double> y, std::span<std::uint64_t> keys, runtime::CancelToken& token) {
  keys_of(y, keys, token, [&](index_t begin, index_t count, std::uint64_t* key) {
    for (index_t r = begin; r < begin + count; ++r, ++key) {
      if (r + kAhead < rows.rows()) rows.prefetch_front(r + kAhead);
      int left = kBrief;
      rows.each_while(r, [&](index_t j, double x) {
        const std::uint64_t bits = bits_of(x);
        if (bits << 1 == 0) return true;
        *key += simd::spread_bits(bits ^ static_cast<std::uint64_t>(j + 1) * 0x9E3779B97F4A7C15);
        return --left > 0;
      });
    }
  });
}

#define MLWRIGHT_ROW_KEYS(...)                                                                                                        \
  template void row_keys<__VA_ARGS__>(const __VA_ARGS__&, std::span<const double>, std::span<std::uint64_t>, runtime::CancelToken&); \
  template void brief_keys<__VA_ARGS__>(const __VA_ARGS__&, std::span<const double>, std::span<std::uint64_t>, runtime::CancelToken&);
MLWRIGHT_ROW_KEYS(DenseRows<double>)
MLWRIGHT_ROW_KEYS(DenseRows<float>)
MLWRIGHT_ROW_KEYS(CsrRows<double, std::int32_t>)
MLWRIGHT_ROW_KEYS(CsrRows<double, std::int64_t>)
MLWRIGHT_ROW_KEYS(CsrRows<float, std::int32_t>)
MLWRIGHT_ROW_KEYS(CsrRows<float, std::int64_t>)
#undef MLWRIGHT_ROW_KEYS

}  // namespace mlwright::solver
