// Points by columns, padded so that a strip that begins anywhere may be read to its end.
#pragma once

#include <vector>

#include "mlwright/gp/dense.hpp"

namespace mlwright::gp {

class Columns {
 public:
  Columns(const double* rows, index_t n, index_t d) : stride_(KernelStrip::padded(n) + 8), data_(static_cast<std::size_t>(stride_ * d)) {
    for (index_t i = 0; i < n; ++i)
      for (index_t k = 0; k < d; ++k) data_[static_cast<std::size_t>(k * stride_ + i)] = rows[i * d + k];
  }
  const double* column(index_t k) const noexcept { return data_.data() + k * stride_; }

 private:
  index_t stride_;
  std::vector<double> data_;
};

}  // namespace mlwright::gp
