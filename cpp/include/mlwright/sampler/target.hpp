// What a sampler sees of a model: the log density of free numbers and its gradient.
#pragma once

#include <cstddef>
#include <span>

#include "mlwright/density/constraint.hpp"

namespace mlwright::sampler {

// A density of constrained parameters x, as nutpie and walnutpie take it too: writes the gradient and the log density.
// 0: done; positive: undefined at this x, which counts as a density of zero; negative: the function itself failed.
using LogDensity = int (*)(std::size_t size, const double* x, double* gradient, double* log_density, void* data);

class Target {
 public:
  // The blocks and the data must outlive the target.
  Target(LogDensity function, void* data, std::span<const density::Block> blocks)
      : function_(function), data_(data), blocks_(blocks) {}

  index_t size() const noexcept { return density::size(blocks_); }            // of x
  index_t free_size() const noexcept { return density::free_size(blocks_); }  // of u
  std::span<const density::Block> blocks() const noexcept { return blocks_; }

  // Log density of u, its gradient, and x(u); minus infinity where it is undefined, not a number, or infinite. `scratch` holds
  // size() numbers. Throws NumericalError where the function says that it failed.
  double operator()(const double* u, double* gradient_u, double* x, double* scratch) const;

 private:
  LogDensity function_;
  void* data_;
  std::span<const density::Block> blocks_;
};

}  // namespace mlwright::sampler
