// Covariance functions of Gaussian processes as programs: sums and products of a few functions, over a strip of pairs at once.
//
//   constant c | white noise v on the pair of a row with itself | of s = sum_k ((x_k - z_k) / l_k)^2, r = sqrt(s):
//   rbf exp(-s/2) | Matern 1/2 exp(-r), 3/2 (1 + a) exp(-a), a = sqrt(3) r, 5/2 (1 + a + a^2/3) exp(-a), a = sqrt(5) r
//   rational quadratic (1 + s / (2 alpha))^-alpha
//
// A program is in postfix order: functions put a value on a stack, add and multiply take two and put one. Gradients are by
// the logarithms of parameters and go backwards through the program (reverse accumulation), so that of n pairs with weights
// w_p what comes out is sum_p w_p dk_p / dlog(theta), and nothing of size pairs x parameters exists.
// Cost: 3 to 10 ns a pair and function. A Kernel is read by any number of threads; a KernelStrip belongs to one.
// Reference: Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, chapters 4 and 5.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "mlwright/base/view.hpp"

namespace mlwright::gp {

enum class Op : int { constant, white, rbf, matern12, matern32, matern52, rational_quadratic, add, multiply };
inline constexpr int kOps = 9;

struct Step {
  Op op;
  index_t n_parameters;       // length scales are one, or one a column
  index_t first = 0;          // of its parameters
  index_t left = 0, right = 0;  // whose values it takes
};

class Kernel {
 public:
  // Parameters as they are, not their logarithms, in the order of the steps; a rational quadratic has alpha before l.
  // InvalidArgument unless the steps leave one value, and all parameters are positive and finite.
  Kernel(std::vector<Step> steps, std::span<const double> parameters, index_t d);

  const std::vector<Step>& steps() const noexcept { return steps_; }
  const double* parameters() const noexcept { return parameters_.data(); }
  index_t n_parameters() const noexcept { return static_cast<index_t>(parameters_.size()); }
  index_t d() const noexcept { return d_; }
  bool by_column() const noexcept { return by_column_; }  // whether a function has a length scale a column

 private:
  void link();

  std::vector<Step> steps_;
  std::vector<double> parameters_;
  index_t d_;
  bool by_column_ = false;
};

// Pairs [first, first + n).
struct Same {
  index_t first = 0, n = 0;
};

// Up to `capacity` pairs: distances column by column, then values, then the gradient of what they were used for.
class KernelStrip {
 public:
  KernelStrip(const Kernel& kernel, index_t capacity);

  void start(index_t n);  // n pairs; arrays passed below are padded to padded(n), of any finite numbers
  // Along column k the pairs differ by x[p] - c.
  void column(index_t k, const double* x, double c);
  // `same`: which pairs are of a row with itself.
  const double* values(Same same, bool with_slopes);
  // gradient += sum_p weight[p] dk_p / dlog(theta); after values(same, true). The padding of weight is overwritten.
  void add_gradient(Same same, double* weight, double* gradient);

  static constexpr index_t padded(index_t n) noexcept { return (n + 7) / 8 * 8; }

 private:
  double* buffer(index_t kind, index_t step) noexcept { return memory_.get() + (kind * n_steps_ + step) * capacity_; }
  void evaluate(const Step& step, index_t i, Same same, bool with_slopes);
  void distance(index_t n_scales, const double* scales);
  void add_atom(const Step& step, index_t i, Same same, const double* weight, double* gradient);
  void add_scales(index_t n_scales, const double* scales, const double* weight, double* gradient);

  const Kernel& kernel_;
  index_t n_steps_, capacity_, n_ = 0, length_ = 0;
  std::unique_ptr<double[]> memory_;
  double *total_, *columns_, *scaled_, *product_;
};

}  // namespace mlwright::gp
