// What BART is fitted to: columns of codes, integer weights, and how residuals are counted.
//
// Columns are padded to whole blocks of kRows rows, so that kernels read no tail.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/base/buffer.hpp"
#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/sampler/bart/space.hpp"

namespace mlwright::sampler::bart {

inline constexpr index_t kRows = 64;
constexpr index_t padded(index_t n) noexcept { return (n + kRows - 1) / kRows * kRows; }

class Data {
 public:
  // codes: n x p. Throws InvalidArgument where a code is none of its column's.
  Data(MatrixView<const std::uint8_t> codes, std::vector<Column> columns, runtime::CancelToken& token);

  index_t n_rows() const noexcept { return n_; }
  index_t stride() const noexcept { return padded(n_); }
  std::span<const Column> columns() const noexcept { return columns_; }
  const std::uint8_t* column(index_t j) const noexcept { return codes_.data() + j * stride(); }

 private:
  index_t n_;
  std::vector<Column> columns_;
  Buffer<std::uint8_t> codes_;
};

// Of all rows; weight: empty for ones.
inline std::int64_t total_weight(const Data& data, std::span<const std::int64_t> weight) noexcept {
  std::int64_t total = weight.empty() ? data.n_rows() : 0;
  for (const std::int64_t w : weight) total += w;
  return total;
}

}  // namespace mlwright::sampler::bart
