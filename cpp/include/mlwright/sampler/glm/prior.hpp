// Priors of a generalized linear model: of its coefficients, of group effects and their scales, and of its dispersion.
//
// Everything is a function of free numbers; a scale is known by its logarithm, whose Jacobian is in the density. Each function
// adds to a gradient and returns a log density without the constants of its prior. O(size), no allocation, no exceptions.
// References: Carvalho, Polson, Scott (2010), The horseshoe estimator for sparse signals, Biometrika 97; Piironen, Vehtari
// (2017), Sparsity information and regularization in the horseshoe and other shrinkage priors, EJS 11 (the slab); Gelman
// (2006), Prior distributions for variance parameters in hierarchical models, Bayesian Analysis 1.
#pragma once

#include <span>
#include <vector>

#include "mlwright/base/view.hpp"

namespace mlwright::sampler::glm {

enum class Shape { normal, student_t, laplace, horseshoe };

// Free numbers of the horseshoe are z, log lambda and log tau: with a = (tau lambda_j)^2 a coefficient is
// z_j sqrt(a / (1 + a / slab^2)), z_j normal, lambda_j half-Cauchy, tau half-Cauchy of scale `global_scale`.
struct CoefficientPrior {
  Shape shape = Shape::normal;
  std::vector<double> scale;  // one a column
  double freedom = 0;         // of Student's t
  double global_scale = 1, slab = 0;

  // How many free numbers it has besides one a column.
  index_t hyperparameters() const noexcept;
  // The coefficients that free numbers stand for; `hyper` as many as hyperparameters().
  void coefficients(const double* z, const double* hyper, double* coef) const noexcept;
  // `gradient_coef` is the likelihood's gradient in the coefficients.
  double add(const double* z, const double* hyper, const double* coef, const double* gradient_coef, double* gradient_z,
             double* gradient_hyper) const noexcept;
};

// Normal around `centre`; flat where `scale` is 0.
struct InterceptPrior {
  double centre = 0, scale = 0;
  double add(double intercept, double& gradient) const noexcept;
};

// Half-Student-t of a positive number, or half-normal for infinitely many degrees of freedom, in its logarithm.
struct ScalePrior {
  double scale = 1, freedom = 3;
  double add(double log_value, double& gradient) const noexcept;
};

// Normal effects of a term's levels around 0: `effects` themselves, or numbers that the scale multiplies.
struct EffectPrior {
  bool centred = false;
  ScalePrior scale;
  void effects(std::span<const double> z, double log_scale, double* out) const noexcept;
  double add(std::span<const double> z, double log_scale, const double* gradient_effects, double* gradient_z,
             double& gradient_scale) const noexcept;
};

}  // namespace mlwright::sampler::glm
