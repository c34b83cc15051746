#include "mlwright/solver/newton.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "solver/newton_system.hpp"

namespace mlwright::solver {
namespace {

constexpr index_t kSubsample = 16;            // every so manieth block
constexpr index_t kSubsampleRows = 20;        // rows a column that a subsample has at least
constexpr double kNearby = 1e-3;              // squared decrement over deviance below which a Hessian is kept
constexpr double kShrinks = 0.1;              // what a step leaves of the squared decrement, at most, before a new Hessian
constexpr double kArmijo = 1e-4, kRounding = 1e-14, kPerfect = 1e-12;
constexpr double kStillMoves = 0.5;           // of a score, in a step after which nothing is left to gain
constexpr double kLargeScore = 8.0;           // exp(-8) of a row's Hessian is left
constexpr double kOvershot = 0.5, kRises = 1.1;  // of a step's first slope, that its last one has with the other sign; beyond, rounding
constexpr int kHalvings = 40, kExtraSteps = 6;
constexpr double kSubsampleTol = 1e-2;
constexpr double kUnseen = 1e-7;  // a gain below this share of the objective's rounding is out of the gradient's reach too

struct Point {
  std::vector<double> coef;
  double intercept = 0.0, objective = 0.0;
  std::vector<double> eta, gradient;  // gradient with the penalty's
  GlmSums sums;
};

class Solver {
 public:
  // keeps: whether `again` will be called.
  Solver(const NewtonProblem& problem, const NewtonOptions& options, runtime::CancelToken& token, bool keeps = false)
      : problem_(problem), options_(options), token_(token), system_(problem_), n_(problem.data.x.rows()), keeps_(keeps) {}

  NewtonFit run(std::vector<double> coef, double intercept) {
    here_.coef = std::move(coef);
    here_.intercept = intercept;
    there_.eta.resize(static_cast<std::size_t>(n_));
    here_.eta.resize(static_cast<std::size_t>(n_));
    const index_t blocks = n_ / simd_rows() / kSubsample;
    if (options_.subsample && blocks * simd_rows() >= kSubsampleRows * (problem_.data.x.cols() + 50)) {
      stage(kSubsample, kSubsampleTol);
      if (fit_.status != Status::converged) system_ = NewtonSystem(problem_);
      fit_.n_iter = 0;
    }
    stage(1, options_.tol);
    return answer();
  }

  // The fit under another penalty, from where the last one ended: with its gradient, and the last Hessian that was formed.
  NewtonFit again(std::vector<double> l2) {
    problem_.l2 = std::move(l2);
    fit_ = {};
    penalise(here_);
    fresh_ = false;
    if (std::isfinite(here_.objective) && !curved_.hessian.empty()) system_.set(curved_, curved_share_, token_);
    first_deviance_ = -1.0;
    iterate();
    return answer();
  }

 private:
  static constexpr index_t simd_rows() { return 128; }

  NewtonFit answer() {
    fit_.coef = here_.coef;
    fit_.intercept = here_.intercept;
    fit_.loss = here_.sums.loss;
    return fit_;
  }

  void stage(index_t stride, double tol) {
    stride_ = stride;
    tol_ = tol;
    first_deviance_ = -1.0;
    const bool starts_stale = stride == 1 && system_.ready();
    const Depth first = starts_stale ? Depth::gradient : Depth::hessian;
    evaluate(here_, first);
    adopt(first);
    iterate();
  }

  void iterate() {
    double before = -1.0;
    index_t extra = 0;
    while (true) {
      double decrement = solve();
      if (!fresh_ && too_slow(decrement, before)) {
        refresh();
        decrement = solve();
      }
      if (!std::isfinite(here_.objective) || !std::isfinite(decrement)) return end(Status::not_finite);
      if (small(decrement) && !fresh_ && may_diverge()) {
        refresh();
        decrement = solve();
      }
      if (small(decrement)) {
        if (before < 0.0 || move_ <= kStillMoves) return end(Status::converged);
        if (extra++ == kExtraSteps) return end(Status::diverging);
      }
      if (fit_.n_iter == options_.max_iter) return end(extra > 0 ? Status::diverging : Status::iterations);
      const bool was_fresh = fresh_;
      if (!advance(decrement)) {
        if (!was_fresh) {
          refresh();
          before = -1.0;
          continue;
        }
        return end(move_ > kStillMoves ? Status::diverging : fit_.violation <= tol_ ? Status::converged : Status::stalled);
      }
      before = decrement;
      ++fit_.n_iter;
    }
  }

  void end(Status status) { fit_.status = status; }

  // Whether scores are so large that the minimum may be at infinity: an old Hessian would hide that, its steps get shorter.
  bool may_diverge() const {
    const auto& l2 = problem_.l2;
    if (stride_ > 1 || std::all_of(l2.begin(), l2.begin() + problem_.data.x.cols(), [](double v) { return v > 0.0; })) return false;
    return std::any_of(here_.eta.begin(), here_.eta.end(), [](double v) { return std::fabs(v) > kLargeScore; });
  }

  // Whether the old Hessian should give way: its last step left too much of the decrement.
  bool too_slow(double decrement, double before) const {
    if (small(decrement) && fit_.violation <= tol_) return false;
    return before >= 0.0 && !(decrement <= kShrinks * before);
  }

  double share() const {
    const index_t all = (n_ + simd_rows() - 1) / simd_rows(), visited = (all + stride_ - 1) / stride_;
    return stride_ == 1 ? 1.0 : static_cast<double>(visited) / static_cast<double>(all);
  }

  void evaluate(Point& point, Depth depth) {
    point.sums = glm_pass(problem_.data, point.coef, point.intercept, depth, stride_, point.eta.data(), token_);
    fit_.n_passes += share();
    penalise(point);
  }

  // Adds the penalty's part to the loss and its gradient.
  void penalise(Point& point) const {
    point.gradient = point.sums.gradient;
    point.objective = point.sums.loss + penalty(point.coef);
    const double l2_share = share();
    for (std::size_t j = 0; j < point.gradient.size(); ++j) point.gradient[j] += l2_share * problem_.l2[j] * point.coef[j];
  }

  double penalty(const std::vector<double>& coef) const {
    double sum = 0.0;
    for (std::size_t j = 0; j < coef.size(); ++j) sum += problem_.l2[j] * coef[j] * coef[j];
    return 0.5 * share() * sum;
  }

  void refresh() {
    evaluate(here_, Depth::hessian);
    adopt(Depth::hessian);
  }

  // Takes the Hessian over, where the evaluation of the current point formed one.
  void adopt(Depth depth) {
    fresh_ = depth == Depth::hessian;
    if (!fresh_ || !std::isfinite(here_.objective)) return;
    system_.set(here_.sums, share(), token_);
    if (!keeps_) return;
    curved_ = here_.sums;
    curved_share_ = share();
  }

  double deviance() {
    const double value = here_.objective - share() * problem_.saturated;
    if (first_deviance_ < 0.0) first_deviance_ = std::fabs(value);
    return std::max(value, std::max(kPerfect * first_deviance_, 1e-300));
  }

  double solve() {
    if (!system_.ready()) return std::nan("");
    const double decrement = system_.step(here_.sums, here_.gradient, share(), step_, step0_);
    reference_ = deviance();
    fit_.decrement = 0.5 * decrement / reference_;
    fit_.violation = system_.violation(here_.gradient, share()) / std::sqrt(reference_);
    fit_.rank = system_.rank();
    return decrement;
  }

  bool small(double decrement) const {
    const double enough = std::max(0.2 * tol_ * tol_ * reference_, kUnseen * noise());
    return decrement <= enough && (stride_ > 1 || fit_.violation <= tol_);
  }

  void trial(double t) {
    there_.coef.resize(here_.coef.size());
    for (std::size_t j = 0; j < step_.size(); ++j) there_.coef[j] = here_.coef[j] + t * step_[j];
    there_.intercept = here_.intercept + t * step0_;
  }

  bool falls(double objective, double decrement, double t) const {
    return objective <= here_.objective - kArmijo * t * decrement + noise();
  }

  // What rounding makes of the objective.
  double noise() const { return kRounding * (std::fabs(here_.objective) + std::fabs(problem_.saturated)); }

  // Goes to the full step, or to a shorter one found on the scores; false where none makes the objective fall.
  bool advance(double decrement) {
    const bool keep = decrement <= kNearby * reference_;
    const Depth depth = keep || (!fresh_ && stride_ == 1) ? Depth::gradient : Depth::hessian;
    trial(1.0);
    evaluate(there_, depth);
    double t = 1.0;
    if (!falls(there_.objective, decrement, t)) {
      t = shorter(decrement);
      if (t == 0.0) return false;
      trial(t);
      evaluate(there_, depth);
      if (!std::isfinite(there_.objective)) return false;
    } else if (fresh_ && goes_back_and_forth(decrement)) {
      trial(decrement / (decrement + slope_there()));
      evaluate(there_, depth);
      if (!falls(there_.objective, 0.0, 1.0)) return false;
    }
    move_ = largest_move(problem_.data, there_.eta.data(), here_.eta.data(), stride_);
    std::swap(here_, there_);
    adopt(depth);
    return true;
  }

  // Whether full steps go over the minimum, one after another: where the Hessian, the expected one, is little more than half of
  // that of the rows. The minimum along the step then is about where the line between the slopes at its ends is zero.
  bool goes_back_and_forth(double decrement) {
    const bool before = overshot_;
    const double slope = slope_there();
    overshot_ = slope > kOvershot * decrement && slope < kRises * decrement;
    return before && std::exchange(overshot_, false);
  }

  // Of the objective along the step.
  double slope_there() const {
    double slope = there_.sums.total_g * step0_;
    for (std::size_t j = 0; j < step_.size(); ++j) slope += there_.gradient[j] * step_[j];
    return slope;
  }

  double shorter(double decrement) {
    std::vector<double> at(here_.coef.size());
    double t = 0.5;
    for (int i = 0; i < kHalvings; ++i, t *= 0.5) {
      for (std::size_t j = 0; j < at.size(); ++j) at[j] = here_.coef[j] + t * step_[j];
      const double loss = loss_between(problem_.data, here_.eta.data(), there_.eta.data(), t, stride_, token_);
      if (falls(loss + penalty(at), decrement, t)) return t;
    }
    return 0.0;
  }

  NewtonProblem problem_;
  const NewtonOptions& options_;
  runtime::CancelToken& token_;
  NewtonSystem system_;
  const index_t n_;
  const bool keeps_;
  GlmSums curved_;  // the last with a Hessian, and of what share of the rows
  double curved_share_ = 1.0;
  Point here_, there_;
  std::vector<double> step_;
  double step0_ = 0.0, reference_ = 1.0, first_deviance_ = -1.0, move_ = 0.0, tol_ = 0.0;
  index_t stride_ = 1;
  bool fresh_ = false, overshot_ = false;
  NewtonFit fit_;
};

}  // namespace

NewtonFit newton(const NewtonProblem& problem, std::vector<double> coef, double intercept, const NewtonOptions& options,
                 runtime::CancelToken& token) {
  return Solver(problem, options, token).run(std::move(coef), intercept);
}

std::vector<NewtonFit> newton_path(const NewtonProblem& problem, const std::vector<std::vector<double>>& l2,
                                   std::vector<double> coef, double intercept, const NewtonOptions& options,
                                   runtime::CancelToken& token) {
  std::vector<NewtonFit> out;
  Solver solver(problem, options, token, true);
  for (std::size_t k = 0; k < l2.size(); ++k) out.push_back(k == 0 ? solver.run(coef, intercept) : solver.again(l2[k]));
  return out;
}

}  // namespace mlwright::solver
