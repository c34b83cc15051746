// The losses of generalized linear models: one line for each pair of family and link, and kernels, bindings and tests
// follow. The first five are those of list.hpp, with their exact Hessians.
//
// X(name, Type): the name that Python passes, and the struct. To add one: a line here and a twin in mlwright/reference/glm.py.
#pragma once

#include "mlwright/loss/binomial_links.hpp"
#include "mlwright/loss/composed.hpp"
#include "mlwright/loss/list.hpp"
#include "mlwright/loss/negative_binomial.hpp"

namespace mlwright::loss {

using NormalLog = Composed<NormalFamily, LogLink>;
using NormalInverse = Composed<NormalFamily, InverseLink>;
using PoissonIdentity = Composed<PoissonFamily, IdentityLink>;
using GammaIdentity = Composed<GammaFamily, IdentityLink>;
using GammaInverse = Composed<GammaFamily, InverseLink>;
using TweedieLog = Composed<TweedieFamily, LogLink>;
using TweedieIdentity = Composed<TweedieFamily, IdentityLink>;
using InverseGaussianLog = Composed<InverseGaussianFamily, LogLink>;
using InverseGaussianIdentity = Composed<InverseGaussianFamily, IdentityLink>;
using InverseGaussianInverse = Composed<InverseGaussianFamily, InverseLink>;
using InverseGaussianInverseSquared = Composed<InverseGaussianFamily, InverseSquaredLink>;

}  // namespace mlwright::loss

#define MLWRIGHT_GLM_LOSSES(X)                          \
  X(squared_error, Squared)                             \
  X(binary_log_loss, Logistic)                          \
  X(poisson, Poisson)                                   \
  X(gamma, Gamma)                                       \
  X(tweedie, Tweedie)                                   \
  X(negative_binomial, NegativeBinomial)                \
  X(probit, Probit)                                     \
  X(cloglog, Cloglog)                                   \
  X(normal_log, NormalLog)                              \
  X(normal_inverse, NormalInverse)                      \
  X(poisson_identity, PoissonIdentity)                  \
  X(gamma_identity, GammaIdentity)                      \
  X(gamma_inverse, GammaInverse)                        \
  X(tweedie_log, TweedieLog)                            \
  X(tweedie_identity, TweedieIdentity)                  \
  X(inverse_gaussian_log, InverseGaussianLog)           \
  X(inverse_gaussian_identity, InverseGaussianIdentity) \
  X(inverse_gaussian_inverse, InverseGaussianInverse)   \
  X(inverse_gaussian_inverse_squared, InverseGaussianInverseSquared)
