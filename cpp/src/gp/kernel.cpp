#include "mlwright/gp/kernel.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "mlwright/base/error.hpp"
#include "simd/covariance.hpp"

namespace mlwright::gp {
namespace {

enum Buffer : index_t { kValue, kSlope, kAlphaSlope, kWeight, kBuffers };

bool joins(Op op) { return op == Op::add || op == Op::multiply; }

void require_parameters(const Step& step, index_t d) {
  const index_t n = step.n_parameters - (step.op == Op::rational_quadratic);
  const bool scaled = step.op != Op::constant && step.op != Op::white && step.op != Op::rational_quadratic;
  if (joins(step.op) ? n != 0 : !(n == 1 || (scaled && n == d)))
    throw InvalidArgument("kernel: got " + std::to_string(step.n_parameters) + " parameters of one function and " +
                          std::to_string(d) + " columns; expected a length scale, or one a column");
}

}  // namespace

Kernel::Kernel(std::vector<Step> steps, std::span<const double> parameters, index_t d)
    : steps_(std::move(steps)), parameters_(parameters.begin(), parameters.end()), d_(d) {
  link();
  for (const double value : parameters_)
    if (!(value > 0.0 && std::isfinite(value)))
      throw InvalidArgument("kernel: got the parameter " + std::to_string(value) + ", expected positive finite numbers");
}

void Kernel::link() {
  std::vector<index_t> stack;
  index_t used = 0;
  for (index_t i = 0; i < static_cast<index_t>(steps_.size()); ++i) {
    Step& step = steps_[static_cast<std::size_t>(i)];
    require_parameters(step, d_);
    step.first = used;
    used += step.n_parameters;
    by_column_ |= !joins(step.op) && step.op != Op::rational_quadratic && step.n_parameters > 1;
    if (joins(step.op)) {
      if (stack.size() < 2) throw InvalidArgument("kernel: a sum or product of fewer than two functions");
      step.right = stack.back();
      stack.pop_back();
      step.left = stack.back();
      stack.pop_back();
    }
    stack.push_back(i);
  }
  if (stack.size() != 1 || used != n_parameters())
    throw InvalidArgument("kernel: its functions and parameters do not fit together");
}

KernelStrip::KernelStrip(const Kernel& kernel, index_t capacity)
    : kernel_(kernel), n_steps_(static_cast<index_t>(kernel.steps().size())), capacity_(padded(std::max<index_t>(capacity, 1))) {
  const index_t columns = kernel.by_column() ? kernel.d() : 0;
  const index_t rows = kBuffers * n_steps_ + columns + 3;
  memory_ = std::make_unique<double[]>(static_cast<std::size_t>(rows * capacity_));
  total_ = buffer(kBuffers, 0);
  scaled_ = total_ + capacity_;
  product_ = scaled_ + capacity_;
  columns_ = product_ + capacity_;
}

void KernelStrip::start(index_t n) {
  n_ = n;
  length_ = padded(n);
  std::fill_n(total_, length_, 0.0);
}

void KernelStrip::column(index_t k, const double* x, double c) {
  const auto& kernels = simd::covariance();
  if (!kernel_.by_column()) {
    kernels.add_square(x, c, length_, total_);
    return;
  }
  double* squares = columns_ + k * capacity_;
  kernels.square(x, c, length_, squares);
  kernels.add_scaled(squares, 1.0, length_, total_);
}

void KernelStrip::distance(index_t n_scales, const double* scales) {
  const auto& kernels = simd::covariance();
  std::fill_n(scaled_, length_, 0.0);
  if (n_scales == 1) {
    kernels.add_scaled(total_, 1.0 / (scales[0] * scales[0]), length_, scaled_);
    return;
  }
  for (index_t k = 0; k < n_scales; ++k)
    kernels.add_scaled(columns_ + k * capacity_, 1.0 / (scales[k] * scales[k]), length_, scaled_);
}

void KernelStrip::evaluate(const Step& step, index_t i, Same same, bool with_slopes) {
  const auto& kernels = simd::covariance();
  const double* parameters = kernel_.parameters() + step.first;
  double* const value = buffer(kValue, i);
  double* const slope = with_slopes ? buffer(kSlope, i) : nullptr;
  const auto by_distance = [&](auto function) {
    distance(step.n_parameters, parameters);
    function(scaled_, length_, value, slope);
  };
  switch (step.op) {
    case Op::constant: std::fill_n(value, length_, parameters[0]); break;
    case Op::white:
      std::fill_n(value, length_, 0.0);
      std::fill_n(value + same.first, same.n, parameters[0]);
      break;
    case Op::rbf: by_distance(kernels.rbf); break;
    case Op::matern12: by_distance(kernels.matern12); break;
    case Op::matern32: by_distance(kernels.matern32); break;
    case Op::matern52: by_distance(kernels.matern52); break;
    case Op::rational_quadratic:
      distance(1, parameters + 1);
      kernels.rational(scaled_, parameters[0], length_, value, slope, buffer(kAlphaSlope, i));
      break;
    case Op::add: kernels.add(buffer(kValue, step.left), buffer(kValue, step.right), length_, value); break;
    case Op::multiply: kernels.multiply(buffer(kValue, step.left), buffer(kValue, step.right), length_, value); break;
  }
}

const double* KernelStrip::values(Same same, bool with_slopes) {
  for (index_t i = 0; i < n_steps_; ++i) evaluate(kernel_.steps()[static_cast<std::size_t>(i)], i, same, with_slopes);
  return buffer(kValue, n_steps_ - 1);
}

void KernelStrip::add_scales(index_t n_scales, const double* scales, const double* weight, double* gradient) {
  const auto& kernels = simd::covariance();
  if (n_scales == 1) {
    gradient[0] += kernels.dot(weight, total_, length_) / (scales[0] * scales[0]);
    return;
  }
  for (index_t k = 0; k < n_scales; ++k)
    gradient[k] += kernels.dot(weight, columns_ + k * capacity_, length_) / (scales[k] * scales[k]);
}

void KernelStrip::add_atom(const Step& step, index_t i, Same same, const double* weight, double* gradient) {
  const auto& kernels = simd::covariance();
  const double* parameters = kernel_.parameters() + step.first;
  gradient += step.first;
  if (step.op == Op::constant) {
    gradient[0] += parameters[0] * kernels.sum(weight, length_);
    return;
  }
  if (step.op == Op::white) {
    for (index_t p = 0; p < same.n; ++p) gradient[0] += parameters[0] * weight[same.first + p];
    return;
  }
  const index_t shape = step.op == Op::rational_quadratic;
  if (shape) gradient[0] += kernels.dot(weight, buffer(kAlphaSlope, i), length_);
  kernels.multiply(weight, buffer(kSlope, i), length_, product_);
  add_scales(step.n_parameters - shape, parameters + shape, product_, gradient + shape);
}

void KernelStrip::add_gradient(Same same, double* weight, double* gradient) {
  const auto& kernels = simd::covariance();
  std::fill(weight + n_, weight + length_, 0.0);
  std::copy_n(weight, length_, buffer(kWeight, n_steps_ - 1));
  for (index_t i = n_steps_ - 1; i >= 0; --i) {
    const Step& step = kernel_.steps()[static_cast<std::size_t>(i)];
    const double* mine = buffer(kWeight, i);
    if (step.op == Op::add) {
      std::copy_n(mine, length_, buffer(kWeight, step.left));
      std::copy_n(mine, length_, buffer(kWeight, step.right));
    } else if (step.op == Op::multiply) {
      kernels.multiply(mine, buffer(kValue, step.right), length_, buffer(kWeight, step.left));
      kernels.multiply(mine, buffer(kValue, step.left), length_, buffer(kWeight, step.right));
    } else {
      add_atom(step, i, same, mine, gradient);
    }
  }
}

}  // namespace mlwright::gp
