// Stochastic gradient descent on linear models: epochs of one or several binary or regression problems over the same rows.
//
// A visit of row r with weight omega:  p = x . w + b,  w <- shrink w - eta slope(y, p) omega x,  b likewise without shrinking;
// shrink = 1 - (1 - l1_ratio) eta alpha. The L1 part is the cumulative penalty of Tsuruoka et al.: a coefficient pays what
// has fallen due when its column is visited. The average of the coefficients after each visit is kept as sums that a visit
// changes in its own columns only.
// A problem stops when its value, the objective as the visits of an epoch met it, has not fallen by tol for some epochs; the
// adaptive schedule makes shorter steps first.
// The order of the visits is a permutation that depends on seed and epoch. Rows are copied into blocks in that order; problems
// visit blocks side by side, each on one thread, while others copy the next ones, so the bits do not depend on threads.
// Cost of a visit: a copy of the row's stored entries and two passes over them.
// References: Bottou, Stochastic gradient descent tricks, 2012; Tsuruoka, Tsujii and Ananiadou, ACL 2009; Crammer et al.,
// Online passive-aggressive algorithms, JMLR 7 (2006).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>

#include "mlwright/base/view.hpp"
#include "mlwright/loss/margin.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/solver/row_access.hpp"

namespace mlwright::solver {

enum class Schedule : int { constant, optimal, invscaling, adaptive, pa1, pa2 };
inline constexpr int kSchedules = 6;

struct SgdSettings {
  loss::MarginLoss loss;
  bool penalised;          // false: alpha is but the schedule's
  double alpha, l1_ratio;  // l1_ratio 0: no L1 part
  Schedule schedule;
  double eta0, power_t;
  index_t t;               // number of the first visit, from 1
  index_t average;         // visits from that number on are averaged; 0: none
  bool fit_intercept, shuffle;
  std::uint64_t seed;
  index_t max_iter;        // epochs
  index_t patience;        // epochs without progress after which a problem stops; 0: all are made, and no values are asked for
  double tol;              // what counts as progress
};

struct SgdProblem {
  const double* y;
  double weight_positive, weight_negative;  // of targets above zero, and of the others
  double* coef;
  double* intercept;
  double* coef_sum;          // over averaged visits; null without
  double* intercept_sum;
  // Out:
  index_t n_iter = 0;        // epochs
  double loss = 0.0;         // weighted sum of the losses before each visit of the last epoch, where values are asked for
  double value = std::numeric_limits<double>::quiet_NaN();  // of the last epoch
  bool going = true;
};

struct SgdVisits {
  std::span<const std::int64_t> row;
  const double* weight = nullptr;  // null: all ones
};

// Called on the calling thread after each epoch with its number, from 0; it may change the values of problems that go on.
using AfterEpoch = std::function<void(index_t epoch)>;

// Returns the number of the epoch in which a parameter or a prediction was not finite, which ends the descent, or -1.
template <class Rows>
index_t sgd_descend(const Rows& rows, const SgdVisits& visits, const SgdSettings& settings, std::span<SgdProblem> problems,
                    const AfterEpoch& after, runtime::CancelToken& token);

}  // namespace mlwright::solver
