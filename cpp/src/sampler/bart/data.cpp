#include "mlwright/sampler/bart/data.hpp"

#include <algorithm>
#include <string>

#include "mlwright/base/error.hpp"

namespace mlwright::sampler::bart {
namespace {

constexpr index_t kRowsAtOnce = 2048;

bool is_code_of(const Column& column, std::uint8_t code) noexcept {
  if (column.n_codes > 0) return code < column.n_codes;
  return code <= column.n_cuts || (code == kMissing && column.has_missing);
}

}  // namespace

Data::Data(MatrixView<const std::uint8_t> codes, std::vector<Column> columns, runtime::CancelToken& token)
    : n_(codes.rows), columns_(std::move(columns)), codes_(static_cast<std::size_t>(padded(codes.rows) * codes.cols)) {
  if (codes.cols != static_cast<index_t>(columns_.size()))
    throw InvalidArgument("BART: got codes of " + std::to_string(codes.cols) + " columns, expected " + std::to_string(columns_.size()));
  for (index_t begin = 0; begin < n_; begin += kRowsAtOnce) {  // that stay in the cache while columns are read
    token.poll();
    for (index_t j = 0; j < codes.cols; ++j) {
      const Column& column = columns_[static_cast<std::size_t>(j)];
      std::uint8_t* const out = codes_.data() + j * stride();
      for (index_t i = begin; i < std::min(begin + kRowsAtOnce, n_); ++i) {
        out[i] = codes(i, j);
        if (!is_code_of(column, out[i]))
          throw InvalidArgument("BART: got code " + std::to_string(out[i]) + " in column " + std::to_string(j) + ", expected one of its own");
      }
    }
  }
  for (index_t j = 0; j < codes.cols; ++j) std::fill(codes_.data() + j * stride() + n_, codes_.data() + (j + 1) * stride(), std::uint8_t{0});
}

}  // namespace mlwright::sampler::bart
