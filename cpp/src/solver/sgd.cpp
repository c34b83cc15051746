#include "mlwright/solver/sgd.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "mlwright/base/elementary.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/rng.hpp"

namespace mlwright::solver {
namespace {

constexpr double kMostSlope = 1e12;      // as in scikit-learn: a wild target must not throw the coefficients out of range
constexpr double kSmallestScale = 1e-9;  // of the common factor, before it is multiplied into the coefficients
constexpr index_t kAhead = 6;                       // visits between asking for a row and reading it
constexpr index_t kVisitsAtOnce = 2048;  // between looks for Ctrl-C
constexpr std::uint32_t kOrderOfVisits = 0x5347;

// w = scale * v, so that shrinking all coefficients costs one multiplication. The sum of w over visits is
// sum + reach v - lag, reach being the sum of the scales: a change of v by d at some visit adds reach d to lag.
class Coefficients {
 public:
  Coefficients(double* v, index_t p, double* sum) : v_(v), p_(p), sum_(sum) {
    if (sum != nullptr) lag_.assign(static_cast<std::size_t>(p), 0.0);
  }
  double* v() { return v_; }
  double scale() const { return scale_; }
  void shrink(double factor) {
    scale_ *= factor;
    if (scale_ < kSmallestScale) fold();
  }
  template <class Rows>
  void add(const Rows& rows, index_t row, double c) {
    rows.add(row, c / scale_, v_);
    if (reach_ > 0.0) rows.add(row, reach_ * (c / scale_), lag_.data());
  }
  void set(index_t j, double value) {  // of v
    if (reach_ > 0.0) lag_[static_cast<std::size_t>(j)] += reach_ * (value - v_[j]);
    v_[j] = value;
  }
  void count() { reach_ += scale_; }
  void fold() {
    if (sum_ != nullptr)
      for (index_t j = 0; j < p_; ++j) {
        sum_[j] += reach_ * v_[j] - lag_[static_cast<std::size_t>(j)];
        lag_[static_cast<std::size_t>(j)] = 0.0;
      }
    for (index_t j = 0; j < p_; ++j) v_[j] *= scale_;
    scale_ = 1.0;
    reach_ = 0.0;
  }

 private:
  double* v_;
  index_t p_;
  double* sum_;
  double scale_ = 1.0, reach_ = 0.0;
  std::vector<double> lag_;
};

template <class Rows>
class Epoch {
 public:
  Epoch(const Rows& rows, const SgdVisits& visits, const SgdSettings& settings, std::span<const index_t> order,
        SgdProblem& problem)
      : rows_(rows), visits_(visits), set_(settings), order_(order), problem_(problem),
        w_(problem.coef, rows.cols(), problem.coef_sum),
        first_eta_(std::sqrt(1.0 / std::sqrt(settings.alpha))) {}

  void run(index_t begin, index_t end) {
    const auto count = static_cast<index_t>(visits_.row.size());
    for (index_t i = begin; i < end; ++i) {
      if (i + kAhead < count) rows_.prefetch(row_of(i + kAhead));
      visit(i);
    }
  }
  void finish() {
    w_.fold();
    problem_.loss = loss_;
  }

 private:
  index_t place(index_t i) const { return order_.empty() ? i : order_[static_cast<std::size_t>(i)]; }
  index_t row_of(index_t i) const { return visits_.row[static_cast<std::size_t>(place(i))]; }

  void visit(index_t i) {
    const index_t row = row_of(i), t = set_.t + i;
    const double weight = visits_.weight == nullptr ? 1.0 : visits_.weight[place(i)];
    const double y = problem_.y[row], p = w_.scale() * rows_.dot(row, w_.v()) + *problem_.intercept;
    const double loss = set_.loss.value(y, p), eta = rate(t);
    loss_ += weight * loss;
    const double step = length(row, y, p, loss, eta) * weight * (y > 0.0 ? problem_.weight_positive : problem_.weight_negative);
    if (set_.alpha > 0.0 && set_.l1_ratio < 1.0) w_.shrink(std::max(0.0, 1.0 - (1.0 - set_.l1_ratio) * eta * set_.alpha));
    if (step != 0.0) {
      w_.add(rows_, row, step);
      if (set_.fit_intercept) *problem_.intercept += step;
    }
    if (problem_.paid != nullptr) pay(row, eta);
    if (set_.average > 0 && set_.average <= t) {
      w_.count();
      *problem_.intercept_sum += *problem_.intercept;
    }
  }

  double rate(index_t t) const {
    const double now = static_cast<double>(t);
    switch (set_.schedule) {
      case Schedule::optimal: return 1.0 / (1.0 / first_eta_ + set_.alpha * (now - 1.0));
      case Schedule::invscaling:
        return set_.power_t == 0.5 ? set_.eta0 / std::sqrt(now) : set_.eta0 * mlwright::exp(-set_.power_t * mlwright::log(now));
      default: return problem_.eta;
    }
  }

  // What a row is multiplied by before it is added, its weights apart.
  double length(index_t row, double y, double p, double loss, double eta) const {
    if (set_.schedule < Schedule::pa1) return -eta * std::clamp(set_.loss.slope(y, p), -kMostSlope, kMostSlope);
    double square = 0.0;
    rows_.each(row, [&](index_t, double x) { square += x * x; });
    if (set_.schedule == Schedule::pa1 && square == 0.0) return 0.0;
    const double size = set_.schedule == Schedule::pa1 ? std::min(set_.eta0, loss / square) : loss / (square + 0.5 / set_.eta0);
    if (set_.loss.kind == loss::Margin::hinge) return size * y;
    return y < p ? -size : size;
  }

  void pay(index_t row, double eta) {
    const double due = *problem_.due += set_.l1_ratio * eta * set_.alpha, scale = w_.scale();
    double* v = w_.v();
    rows_.each(row, [&](index_t j, double x) {
      if (x == 0.0) return;  // dense and sparse rows pay alike
      const double before = v[j], paid = problem_.paid[j];
      if (before > 0.0) w_.set(j, std::max(0.0, before - (due + paid) / scale));
      else if (before < 0.0) w_.set(j, std::min(0.0, before + (due - paid) / scale));
      problem_.paid[j] += scale * (v[j] - before);
    });
  }

  const Rows& rows_;
  const SgdVisits& visits_;
  const SgdSettings& set_;
  std::span<const index_t> order_;
  SgdProblem& problem_;
  Coefficients w_;
  double first_eta_, loss_ = 0.0;
};

// The finaliser of SplitMix64: a bijection that spreads every bit.
std::uint64_t spread(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}
std::uint64_t bits_of(double x) {
  std::uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

}  // namespace

template <class Rows>
void sgd_epoch(const Rows& rows, const SgdVisits& visits, const SgdSettings& settings, std::span<SgdProblem> problems,
               runtime::CancelToken& token) {
  std::vector<index_t> order;
  if (settings.shuffle) {
    order.resize(visits.row.size());
    runtime::Rng rng(settings.seed, runtime::stream_id(kOrderOfVisits, static_cast<std::uint32_t>(settings.epoch)));
    runtime::permutation(rng, order);
  }
  runtime::parallel_for(static_cast<index_t>(problems.size()), 1, token, [&](index_t k, index_t, index_t) {
    const runtime::ThreadLimit one_after_the_other(1);
    Epoch<Rows> epoch(rows, visits, settings, order, problems[static_cast<std::size_t>(k)]);
    runtime::parallel_for(static_cast<index_t>(visits.row.size()), kVisitsAtOnce, token,
                          [&](index_t, index_t begin, index_t end) { epoch.run(begin, end); });
    epoch.finish();
  });
}

template <class Rows>
void row_keys(const Rows& rows, std::span<const double> y, std::span<std::uint64_t> keys, runtime::CancelToken& token) {
  constexpr index_t kRowsAtOnce = 1024;
  runtime::parallel_for(rows.rows(), kRowsAtOnce, token, [&](index_t, index_t begin, index_t end) {
    for (index_t r = begin; r < end; ++r) {
      std::uint64_t key = spread(bits_of(y[static_cast<std::size_t>(r)]) + 1);
      rows.each(r, [&](index_t j, double x) {
        if (x != 0.0) key += spread(bits_of(x) ^ (static_cast<std::uint64_t>(j + 1) * 0x9E3779B97F4A7C15));
      });
      keys[static_cast<std::size_t>(r)] = spread(key);
    }
  });
}

#define MLWRIGHT_SGD_ROWS(Rows)                                                                                       \
  template void sgd_epoch<Rows>(const Rows&, const SgdVisits&, const SgdSettings&, std::span<SgdProblem>,             \
                                runtime::CancelToken&);                                                               \
  template void row_keys<Rows>(const Rows&, std::span<const double>, std::span<std::uint64_t>, runtime::CancelToken&);
using Csr64Int32 = CsrRows<double, std::int32_t>;
using Csr64Int64 = CsrRows<double, std::int64_t>;
using Csr32Int32 = CsrRows<float, std::int32_t>;
using Csr32Int64 = CsrRows<float, std::int64_t>;
MLWRIGHT_SGD_ROWS(DenseRows<double>)
MLWRIGHT_SGD_ROWS(DenseRows<float>)
MLWRIGHT_SGD_ROWS(Csr64Int32)
MLWRIGHT_SGD_ROWS(Csr64Int64)
MLWRIGHT_SGD_ROWS(Csr32Int32)
MLWRIGHT_SGD_ROWS(Csr32Int64)
#undef MLWRIGHT_SGD_ROWS

}  // namespace mlwright::solver
