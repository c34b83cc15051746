// How the dispersion phi of a family enters its log likelihood, as a function of s = log phi and of few sums over the rows.
//
// With L = sum w l the sum of losses (loss/glm_list.hpp), W = sum w and what the loss leaves out of minus log p:
//   none                log p = -L
//   normal              -L / phi - W s / 2
//   gamma               -L / phi + W (v log v - lgamma v) + (v - 1) sum w log y,  v = 1 / phi
//   inverse_gaussian    -(L + sum w / (2 y)) / phi - W s / 2
//   negative_binomial   -L + sum w (lgamma(y + 1 / phi) - lgamma(1 / phi) + y s); phi is the parameter of the loss itself
// up to terms of y alone. L counts at least `least`, but for the negative binomial: a factor exp(-least / phi) of the prior, by
// which the posterior is proper where a model fits y exactly. Pure; O(1), or O(different counts).
// References: McCullagh and Nelder, Generalized Linear Models, 1989; Cameron and Trivedi, Regression Analysis of Count Data.
#pragma once

#include <span>

namespace mlwright::sampler::glm {

enum class Dispersion { none, normal, gamma, inverse_gaussian, negative_binomial };

struct DispersionSums {
  double weight = 0;  // W
  double moment = 0;  // gamma: sum w log y; inverse_gaussian: sum w / (2 y)
  double least = 0;
  std::span<const double> counts, count_weights;  // negative_binomial: the different y and the weight that each has
};

struct WithDispersion {
  double value = 0, slope = 0;  // log likelihood, and its derivative in s
  double factor = -1;           // of gradients of L in whatever the scores depend on
};

// `slope_of_loss` is dL/ds for the negative binomial, whose loss has phi inside.
WithDispersion with_dispersion(Dispersion kind, const DispersionSums& sums, double loss, double slope_of_loss, double s) noexcept;

}  // namespace mlwright::sampler::glm
