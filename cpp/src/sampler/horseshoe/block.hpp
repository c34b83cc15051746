// All coefficients and the variance of the noise in one draw, given the prior variances of the coefficients by that of the noise.
#pragma once

#include <functional>
#include <vector>

#include "mlwright/base/buffer.hpp"
#include "mlwright/sampler/horseshoe.hpp"

namespace mlwright::sampler::horseshoe {

// X' in blocks of columns, as the Gram kernels read it; nothing where there is a Gram matrix. Shared by the chains.
class PackedColumns {
 public:
  explicit PackedColumns(const Horseshoe& problem);
  index_t count() const noexcept { return count_; }
  index_t groups() const noexcept { return groups_; }
  index_t size(index_t block) const noexcept;  // columns in it
  const double* block(index_t k) const noexcept { return blocks_.data() + k * stride(); }
  index_t stride() const noexcept;

 private:
  index_t p_, groups_, count_;
  Buffer<double> blocks_;
};

class Block {
 public:
  Block(const Horseshoe& problem, const PackedColumns& packed, std::function<void()> check);
  // s2, and coef; `prior` is of the coefficients, without the slab. False, and nothing changed, where the system is too near to
  // a singular one: as that depends on what is given alone, to leave it is as right as to draw.
  bool draw(runtime::Rng& rng, const std::vector<double>& prior, std::vector<double>& coef, double& variance);
  double cost() const noexcept;  // multiply-adds

 private:
  bool from_gram(runtime::Rng& rng, std::vector<double>& coef, double& variance);
  bool from_rows(runtime::Rng& rng, std::vector<double>& coef, double& variance);
  bool factor_of_rows();
  double drawn_variance(runtime::Rng& rng, double rest) const;

  const Horseshoe& problem_;
  const PackedColumns& packed_;
  std::function<void()> check_;
  std::vector<double> prior_;  // with the slab
  std::vector<double> matrix_, factor_, weighted_, unit_, right_, seen_;
};

}  // namespace mlwright::sampler::horseshoe
