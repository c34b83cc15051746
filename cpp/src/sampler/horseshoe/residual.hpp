// What coefficients leave of y, seen by the columns: the residual itself, or, from a Gram matrix, its products with them.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "mlwright/sampler/horseshoe.hpp"
#include "simd/reduce.hpp"
#include "simd/vector.hpp"

namespace mlwright::sampler::horseshoe {

class Residual {
 public:
  explicit Residual(const Horseshoe& problem)
      : problem_(problem),
        length_(problem.gram == nullptr ? problem.n : problem.p),
        vectors_(problem.gram == nullptr ? problem.columns : problem.gram),
        start_(problem.gram == nullptr ? problem.y : problem.cross),
        left_(start_.begin(), start_.end()) {}

  // y - X b, afresh.
  void restart(const std::vector<double>& coef) {
    std::copy(start_.begin(), start_.end(), left_.begin());
    for (std::size_t j = 0; j < coef.size(); ++j) move(j, coef[j]);
  }
  void move(std::size_t j, double step) {
    if (step != 0) add(j, -step, left_.data());
  }
  double product(std::size_t j) const {  // x_j' (y - X b)
    return problem_.gram == nullptr ? dot_(vector(j), left_.data(), length_) : left_[j];
  }
  double square(const std::vector<double>& coef) const {  // |y - X b|^2
    if (problem_.gram == nullptr) return dot_(left_.data(), left_.data(), length_);
    double sum = problem_.square;
    for (std::size_t j = 0; j < coef.size(); ++j) sum -= coef[j] * (problem_.cross[j] + left_[j]);
    return std::fmax(sum, 0);
  }

  index_t length() const noexcept { return length_; }

  // A direction f = X d in the same terms, from nothing or from X b on; its square, and its product with what is left.
  void begin_direction() { direction_.assign(left_.size(), 0); }
  void begin_direction_of_fit() {
    direction_.assign(start_.begin(), start_.end());
    axpy_(-1, left_.data(), length_, direction_.data());
  }
  void extend_direction(std::size_t j, double step) { add(j, step, direction_.data()); }
  struct Products {
    double square, with_left;
  };
  Products products(const std::vector<double>& d) const {
    const double* const other = problem_.gram == nullptr ? direction_.data() : d.data();
    return {dot_(other, direction_.data(), length_), dot_(other, left_.data(), length_)};
  }
  void move_along(double step) { axpy_(-step, direction_.data(), length_, left_.data()); }

 private:
  const double* vector(std::size_t j) const { return vectors_ + static_cast<index_t>(j) * length_; }
  void add(std::size_t j, double factor, double* to) const { axpy_(factor, vector(j), length_, to); }

  const Horseshoe& problem_;
  index_t length_;
  const double* vectors_;
  std::span<const double> start_;
  std::vector<double> left_, direction_;
  decltype(simd::ReduceTable::dot) dot_ = simd::reduce().dot;
  decltype(simd::VectorTable::axpy) axpy_ = simd::vector().axpy;
};

}  // namespace mlwright::sampler::horseshoe
