#include "mlwright/solver/row_keys.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include "mlwright/runtime/parallel.hpp"
#include "simd/row_keys.hpp"

namespace mlwright::solver {
namespace {

constexpr index_t kRowsAtOnce = 1024;

std::uint64_t bits_of(double x) {
  std::uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

template <class T>
bool add_keys(const DenseRows<T>& rows, index_t begin, index_t count, std::uint64_t* key) {
  const simd::RowKeysTable& table = simd::row_keys();
  const T* x = rows.values(begin).data();
  if constexpr (std::is_same_v<T, double>) return table.dense64(x, rows.cols(), count, key);
  else return table.dense32(x, rows.cols(), count, key);
}

template <class T, class Index>
bool add_keys(const CsrRows<T, Index>& rows, index_t begin, index_t count, std::uint64_t* key) {
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
  return sums(rows.data(), rows.indices(), rows.starts() + begin, count, key);
}

}  // namespace

template <class Rows>
bool row_keys(const Rows& rows, std::span<const double> y, std::span<std::uint64_t> keys, runtime::CancelToken& token) {
  std::vector<char> finite(static_cast<std::size_t>(runtime::n_chunks(rows.rows(), kRowsAtOnce)));
  runtime::parallel_for(rows.rows(), kRowsAtOnce, token, [&](index_t chunk, index_t begin, index_t end) {
    const auto part = keys.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    const double* target = y.data() + begin;
    for (std::uint64_t& key : part) key = simd::spread_bits(bits_of(*target++) + 1);
    finite[static_cast<std::size_t>(chunk)] = add_keys(rows, begin, end - begin, part.data());
    for (std::uint64_t& key : part) key = simd::spread_bits(key);
  });
  return std::find(finite.begin(), finite.end(), 0) == finite.end();
}

#define MLWRIGHT_ROW_KEYS(...) \
  template bool row_keys<__VA_ARGS__>(const __VA_ARGS__&, std::span<const double>, std::span<std::uint64_t>, runtime::CancelToken&);
MLWRIGHT_ROW_KEYS(DenseRows<double>)
MLWRIGHT_ROW_KEYS(DenseRows<float>)
MLWRIGHT_ROW_KEYS(CsrRows<double, std::int32_t>)
MLWRIGHT_ROW_KEYS(CsrRows<double, std::int64_t>)
MLWRIGHT_ROW_KEYS(CsrRows<float, std::int32_t>)
MLWRIGHT_ROW_KEYS(CsrRows<float, std::int64_t>)
#undef MLWRIGHT_ROW_KEYS

}  // namespace mlwright::solver
