#include "mlwright/solver/sgd.hpp"

#include <algorithm>
#include <cmath>

#include "mlwright/base/elementary.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/rng.hpp"
#include "mlwright/solver/row_block.hpp"

namespace mlwright::solver {
namespace {

constexpr double kMostSlope = 1e12;      // as in scikit-learn: a wild target must not throw the coefficients out of range
constexpr double kSmallestScale = 1e-9;  // of the common factor, before it is multiplied into the coefficients
constexpr index_t kEntriesOfBlock = index_t{1} << 16;  // in the second-level cache or the third
constexpr index_t kEntriesForOne = index_t{1} << 15;   // of one problem, whose coefficients then stay in the second-level cache
constexpr index_t kMostVisitsOfBlock = 2048;           // between looks for Ctrl-C
constexpr index_t kAhead = 8;                          // visits between asking for a target and reading it
constexpr std::uint32_t kOrderOfVisits = 0x5347;

// w = scale * v, so that shrinking all coefficients costs one multiplication. The sum of w over visits is
// sum + reach v - lag, reach being the sum of the scales: a change of v by d at some visit adds reach d to lag.
// Where rows are sparse, v and lag lie side by side until the epoch ends.
template <class Block>
class Coefficients {
 public:
  Coefficients(double* w, index_t p, double* sum) : w_(w), p_(p), sum_(sum), v_(w) {
    if (sum == nullptr) return;
    if (Block::kPairs) {
      scratch_.assign(static_cast<std::size_t>(2 * p), 0.0);
      for (index_t j = 0; j < p; ++j) scratch_[static_cast<std::size_t>(2 * j)] = w[j];
      v_ = scratch_.data(), lag_ = v_ + 1, step_ = 2;
    } else {
      scratch_.assign(static_cast<std::size_t>(p), 0.0);
      lag_ = scratch_.data();
    }
  }
  double scale() const { return scale_; }
  double operator[](index_t j) const { return v_[step_ * j]; }  // of v
  void set(index_t j, double value) {
    if (reach_ > 0.0) lag_[step_ * j] += reach_ * (value - v_[step_ * j]);
    v_[step_ * j] = value;
  }
  void shrink(double factor) {
    scale_ *= factor;
    if (scale_ < kSmallestScale) fold();
  }
  double dot(const Block& block, index_t i) const {
    if constexpr (Block::kPairs)
      if (step_ == 2) return scale_ * block.dot_pairs(i, v_);
    return scale_ * block.dot(i, v_);
  }
  void add(const Block& block, index_t i, double c) {
    const double change = c / scale_;
    if constexpr (Block::kPairs)
      if (step_ == 2) return block.add_pairs(i, change, reach_ * change, v_);
    block.add(i, change, v_);
    if (reach_ > 0.0) block.add(i, reach_ * change, lag_);
  }
  void count() { reach_ += scale_; }
  void fold() {
    for (index_t j = 0; j < p_; ++j) {
      if (sum_ != nullptr) {
        sum_[j] += reach_ * v_[step_ * j] - lag_[step_ * j];
        lag_[step_ * j] = 0.0;
      }
      v_[step_ * j] *= scale_;
    }
    scale_ = 1.0;
    reach_ = 0.0;
  }
  void finish() {
    fold();
    for (index_t j = 0; step_ == 2 && j < p_; ++j) w_[j] = v_[2 * j];
  }

 private:
  double* w_;
  index_t p_;
  double* sum_;
  double *v_, *lag_ = nullptr;
  index_t step_ = 1;
  double scale_ = 1.0, reach_ = 0.0;
  std::vector<double> scratch_;
};

template <class Block>
class Epoch {
 public:
  Epoch(index_t p, const SgdSettings& settings, SgdProblem& problem)
      : set_(settings), problem_(problem), w_(problem.coef, p, problem.coef_sum),
        first_eta_(std::sqrt(1.0 / std::sqrt(settings.alpha))) {}

  // The visits of a block, the first of which is number `first` of the epoch.
  void run(const Block& block, const SgdVisits& visits, index_t first) {
    const auto count = static_cast<index_t>(visits.row.size());
    for (index_t i = 0; i < count; ++i) {
      const auto row = [&](index_t at) { return visits.row[static_cast<std::size_t>(at)]; };
      if (i + kAhead < count) __builtin_prefetch(problem_.y + row(i + kAhead));
      visit(block, i, problem_.y[row(i)], visits.weight == nullptr ? 1.0 : visits.weight[i], set_.t + first + i);
    }
  }
  void finish() {
    w_.finish();
    problem_.loss = loss_;
  }

 private:
  void visit(const Block& block, index_t i, double y, double weight, index_t t) {
    const double p = w_.dot(block, i) + *problem_.intercept, eta = rate(t);
    const loss::ValueAndSlope loss = set_.loss.value_and_slope(y, p);
    loss_ += weight * loss.value;
    const double balance = y > 0.0 ? problem_.weight_positive : problem_.weight_negative;
    const double step = length(block, i, y, p, loss, eta) * weight * balance;
    if (set_.alpha > 0.0 && set_.l1_ratio < 1.0) w_.shrink(std::max(0.0, 1.0 - (1.0 - set_.l1_ratio) * eta * set_.alpha));
    if (step != 0.0) {
      w_.add(block, i, step);
      if (set_.fit_intercept) *problem_.intercept += step;
    }
    if (problem_.paid != nullptr) pay(block, i, eta);
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
  double length(const Block& block, index_t i, double y, double p, const loss::ValueAndSlope& loss, double eta) const {
    if (set_.schedule < Schedule::pa1) return -eta * std::clamp(loss.slope, -kMostSlope, kMostSlope);
    double square = 0.0;
    block.each(i, [&](index_t, double x) { square += x * x; });
    if (set_.schedule == Schedule::pa1 && square == 0.0) return 0.0;
    const double size = set_.schedule == Schedule::pa1 ? std::min(set_.eta0, loss.value / square) : loss.value / (square + 0.5 / set_.eta0);
    if (set_.loss.kind == loss::Margin::hinge) return size * y;
    return y < p ? -size : size;
  }

  void pay(const Block& block, index_t i, double eta) {
    const double due = *problem_.due += set_.l1_ratio * eta * set_.alpha, scale = w_.scale();
    block.each(i, [&](index_t j, double x) {
      if (x == 0.0) return;  // dense and sparse rows pay alike
      const double before = w_[j], paid = problem_.paid[j];
      if (before > 0.0) w_.set(j, std::max(0.0, before - (due + paid) / scale));
      else if (before < 0.0) w_.set(j, std::min(0.0, before + (due - paid) / scale));
      problem_.paid[j] += scale * (w_[j] - before);
    });
  }

  const SgdSettings& set_;
  SgdProblem& problem_;
  Coefficients<Block> w_;
  double first_eta_, loss_ = 0.0;
};

// The visits in the order in which they are made.
class Order {
 public:
  Order(const SgdVisits& visits, const SgdSettings& settings) : visits_(visits) {
    if (!settings.shuffle) return;
    row_.resize(visits.row.size());
    runtime::Rng rng(settings.seed, runtime::stream_id(kOrderOfVisits, static_cast<std::uint32_t>(settings.epoch)));
    runtime::permutation(rng, row_);
    if (visits.weight != nullptr)
      for (const index_t place : row_) weight_.push_back(visits.weight[place]);
    for (index_t& place : row_) place = visits.row[static_cast<std::size_t>(place)];
    visits_ = {row_, visits.weight == nullptr ? nullptr : weight_.data()};
  }
  Order(const Order&) = delete;
  Order& operator=(const Order&) = delete;
  SgdVisits part(index_t first, index_t count) const {
    const auto begin = static_cast<std::size_t>(first);
    const std::size_t size = std::min(static_cast<std::size_t>(count), visits_.row.size() - begin);
    return {visits_.row.subspan(begin, size), visits_.weight == nullptr ? nullptr : visits_.weight + first};
  }

 private:
  std::vector<index_t> row_;
  std::vector<double> weight_;
  SgdVisits visits_;
};

// Rows that make a block of some size, by their mean.
template <class T>
index_t visits_of_block(const DenseRows<T>& rows, std::size_t) {
  return std::clamp(kEntriesOfBlock / std::max<index_t>(1, rows.cols()), index_t{1}, kMostVisitsOfBlock);
}
template <class T, class Index>
index_t visits_of_block(const CsrRows<T, Index>& rows, std::size_t problems) {
  const index_t entries = problems == 1 ? kEntriesForOne : kEntriesOfBlock;
  return std::clamp(entries * rows.rows() / std::max<index_t>(1, rows.entries()), index_t{1}, kMostVisitsOfBlock);
}

}  // namespace

template <class Rows>
void sgd_epoch(const Rows& rows, const SgdVisits& visits, const SgdSettings& settings, std::span<SgdProblem> problems,
               runtime::CancelToken& token) {
  using Block = RowBlock<Rows>;
  const Order order(visits, settings);
  const auto count = static_cast<index_t>(visits.row.size());
  std::vector<Epoch<Block>> epochs;
  epochs.reserve(problems.size());
  for (SgdProblem& problem : problems) epochs.emplace_back(rows.cols(), settings, problem);
  const index_t at_once = visits_of_block(rows, problems.size());
  Block blocks[2];
  const auto gather = [&](index_t first) {
    blocks[first / at_once % 2].gather(rows, order.part(first, at_once).row);
  };
  if (count > 0) gather(0);
  for (index_t first = 0; first < count; first += at_once) {
    const SgdVisits part = order.part(first, at_once);
    const Block& block = blocks[first / at_once % 2];
    const index_t copies = first + at_once < count ? 1 : 0;  // one task copies the next block while the others visit this one
    runtime::parallel_for(copies + static_cast<index_t>(epochs.size()), 1, token, [&](index_t task, index_t, index_t) {
      if (task < copies) return gather(first + at_once);
      epochs[static_cast<std::size_t>(task - copies)].run(block, part, first);
    });
  }
  for (Epoch<Block>& epoch : epochs) epoch.finish();
}

#define MLWRIGHT_SGD_ROWS(Rows)                                                                                       \
  template void sgd_epoch<Rows>(const Rows&, const SgdVisits&, const SgdSettings&, std::span<SgdProblem>,             \
                                runtime::CancelToken&);
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
