// The list of losses of one score: one line each, and array kernels, bindings, capability flags and tests follow.
//
// X(name, Type): the name that Python passes, and the struct of this folder. To add a loss: its header, a line here, a
// twin in mlwright/reference/loss.py, and a row of what users call it in mlwright/ensemble/_boosting/losses.py.
#pragma once

#include "mlwright/loss/absolute.hpp"
#include "mlwright/loss/expectile.hpp"
#include "mlwright/loss/gamma.hpp"
#include "mlwright/loss/huber.hpp"
#include "mlwright/loss/logistic.hpp"
#include "mlwright/loss/poisson.hpp"
#include "mlwright/loss/quantile.hpp"
#include "mlwright/loss/squared.hpp"
#include "mlwright/loss/tweedie.hpp"

#define MLWRIGHT_LOSSES(X)      \
  X(squared_error, Squared)     \
  X(absolute_error, Absolute)   \
  X(huber, Huber)               \
  X(quantile, Quantile)         \
  X(expectile, Expectile)       \
  X(poisson, Poisson)           \
  X(gamma, Gamma)               \
  X(tweedie, Tweedie)           \
  X(binary_log_loss, Logistic)

namespace mlwright::loss {

// A loss from its parameter, which those without one ignore.
template <class Loss>
MLWRIGHT_VERB inline Loss make(double parameter) {
  if constexpr (__is_empty(Loss)) return Loss{};
  else return Loss{parameter};
}

}  // namespace mlwright::loss
