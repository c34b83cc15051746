#include <algorithm>
#include <cmath>

#include "mlwright/base/checked.hpp"
#include "mlwright/cluster/points.hpp"

namespace mlwright::cluster {

Centers::Centers(index_t k, index_t p, Frame frame, bool transposed) : k_(k), p_(p), frame_(frame), transposed_(transposed) {
  const auto size = static_cast<std::size_t>(checked_mul(k, p, "centres"));
  values_.resize(size);
  single_.resize(size);
  half_norms_.resize(static_cast<std::size_t>(k));
  squared_norms_.resize(static_cast<std::size_t>(k));
  if (transposed) columns_.resize(size);
}

void Centers::set(std::span<const double> values) {
  std::copy(values.begin(), values.end(), values_.begin());
  double most = 0.0;
  for (index_t j = 0; j < k_; ++j) {
    double framed = 0.0, plain = 0.0;
    for (index_t i = 0; i < p_; ++i) {
      const double c = row(j)[i];
      const float single = static_cast<float>((c - frame_.shift[static_cast<std::size_t>(i)]) * frame_.unit);
      single_[static_cast<std::size_t>(j * p_ + i)] = single;
      framed += static_cast<double>(single) * static_cast<double>(single);
      plain += c * c;
      if (transposed_) columns_[static_cast<std::size_t>(i * k_ + j)] = c;
    }
    half_norms_[static_cast<std::size_t>(j)] = static_cast<float>(0.5 * framed);
    squared_norms_[static_cast<std::size_t>(j)] = plain;
    most = std::max(most, framed);
  }
  largest_ = static_cast<float>(std::sqrt(most) * (1.0 + 0x1p-20));
}

}  // namespace mlwright::cluster
