// What warm-up learns: a step size and the scales of the parameters.
//
// Step size: dual averaging of Hoffman and Gelman (2014), section 3.2, towards a mean acceptance of the trajectory.
// Scales:    inverse mass_i = sqrt(var(u_i) / var(gradient_i)), which minimises the Fisher divergence between the scaled
//            target and a standard normal (Seyboldt, Carlson, Carpenter (2026), arXiv:2603.18845); exact for independent
//            normals after three draws, since the gradients tell as much as the draws do. Two windows overlap: the one in
//            use, and the one that replaces it once it has seen enough, so that early draws are forgotten.
// All state is plain numbers in memory that the caller owns: a chain stopped and restarted goes on to the bit.
#pragma once

#include <span>

#include "mlwright/base/view.hpp"

namespace mlwright::sampler {

struct DualAveraging {
  double count = 0, error = 0, log_step = 0, log_step_mean = 0, centre = 0;

  void restart(double step) noexcept;
  void update(double acceptance, double target) noexcept;
};

// Running means and sums of squares of draws and of their gradients, over 4 d numbers of the caller's.
class Moments {
 public:
  Moments(double* count, std::span<double> memory) noexcept;
  void clear() noexcept;
  void add(std::span<const double> u, std::span<const double> gradient) noexcept;
  double count() const noexcept { return *count_; }
  // sqrt(var(u) / var(gradient)), within bounds; a coordinate in which either does not vary keeps its scale.
  void scales(std::span<double> inverse_mass) const noexcept;

 private:
  double* count_;
  std::span<double> mean_u_, square_u_, mean_g_, square_g_;
};

// Which iteration of the warm-up does what.
struct Schedule {
  index_t warm_up;

  index_t early_end() const noexcept { return warm_up * 3 / 10; }
  index_t scales_end() const noexcept { return warm_up - warm_up * 3 / 20; }  // then the step size alone
  bool early(index_t iteration) const noexcept { return iteration < early_end(); }
  bool learns_scales(index_t iteration) const noexcept { return iteration < scales_end(); }
};

}  // namespace mlwright::sampler
