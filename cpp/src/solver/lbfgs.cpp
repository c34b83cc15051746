#include "mlwright/solver/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <deque>

namespace mlwright::solver {
namespace {

constexpr std::size_t kMemory = 10;
constexpr int kMostTrials = 30;
constexpr double kArmijo = 1e-4, kRounding = 1e-14, kPerfect = 1e-12, kCurvature = 1e-14;
constexpr double kUnseen = 1e-7;  // a gain below this share of the objective's rounding is out of the gradient's reach too

using Vec = std::vector<double>;

double dot(const Vec& a, const Vec& b) {
  double part[4] = {};
  const std::size_t whole = a.size() / 4 * 4;
  for (std::size_t i = 0; i < whole; i += 4)
    for (std::size_t k = 0; k < 4; ++k) part[k] += a[i + k] * b[i + k];
  double sum = (part[0] + part[1]) + (part[2] + part[3]);
  for (std::size_t i = whole; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
void add(Vec& a, double t, const Vec& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += t * b[i];
}

struct Pair {
  Vec step, change;
  double curvature;
};

class Descent {
 public:
  Descent(SmoothObjective& objective, Vec& x, const LbfgsOptions& options, runtime::CancelToken& token)
      : objective_(objective), x_(x), options_(options), token_(token) {}

  LbfgsFit run() {
    gradient_.resize(x_.size());
    fit_.objective = evaluate(x_, gradient_);
    const double first = std::fabs(fit_.objective - objective_.saturated());
    while (true) {
      if (!std::isfinite(fit_.objective)) return end(Status::not_finite);
      direction();
      const double deviance = std::max({fit_.objective - objective_.saturated(), kPerfect * first, 1e-300});
      fit_.violation = objective_.largest_curvature_violation(gradient_.data()) / std::sqrt(deviance);
      const double enough = std::max(0.02 * options_.tol * options_.tol * deviance, kUnseen * noise());
      if (slope_ <= enough && fit_.violation <= options_.tol) return end(Status::converged);
      if (fit_.n_iter == options_.max_iter) return end(Status::iterations);
      if (!advance()) {
        if (pairs_.empty()) return end(fit_.violation <= options_.tol ? Status::converged : Status::stalled);
        pairs_.clear();
        continue;
      }
      ++fit_.n_iter;
    }
  }

 private:
  LbfgsFit end(Status status) {
    fit_.status = status;
    return fit_;
  }

  // What rounding makes of the objective.
  double noise() const { return kRounding * (std::fabs(fit_.objective) + std::fabs(objective_.saturated())) + objective_.rounding(); }

  double evaluate(const Vec& x, Vec& gradient) {
    ++fit_.n_evaluations;
    return objective_.evaluate(x.data(), gradient.data(), token_);
  }

  // d = -H gradient; slope_ = -gradient'd.
  void direction() {
    d_ = gradient_;
    std::vector<double> a(pairs_.size());
    for (std::size_t i = pairs_.size(); i-- > 0;) {
      a[i] = dot(pairs_[i].step, d_) / pairs_[i].curvature;
      add(d_, -a[i], pairs_[i].change);
    }
    objective_.precondition(d_.data());
    if (!pairs_.empty())
      for (double& v : d_) v *= scale_;
    for (std::size_t i = 0; i < pairs_.size(); ++i) add(d_, a[i] - dot(pairs_[i].change, d_) / pairs_[i].curvature, pairs_[i].step);
    slope_ = dot(gradient_, d_);
    for (double& v : d_) v = -v;
  }

  bool advance() {
    Vec trial(x_.size()), there(x_.size());
    double t = 1.0;
    for (int k = 0; k < kMostTrials; ++k) {
      trial = x_;
      add(trial, t, d_);
      const double value = evaluate(trial, there);
      if (value <= fit_.objective - kArmijo * t * slope_ + noise()) {
        remember(t, there);
        x_ = std::move(trial);
        gradient_ = std::move(there);
        fit_.objective = value;
        return true;
      }
      const double bend = std::isfinite(value) ? value - fit_.objective + t * slope_ : 0.0;
      t = bend > 0.0 ? std::clamp(0.5 * t * t * slope_ / bend, 0.1 * t, 0.5 * t) : 0.1 * t;
    }
    return false;
  }

  void remember(double t, const Vec& there) {
    Pair pair{d_, there, 0.0};
    for (double& v : pair.step) v *= t;
    add(pair.change, -1.0, gradient_);
    pair.curvature = dot(pair.step, pair.change);
    if (!(pair.curvature > kCurvature * std::sqrt(dot(pair.step, pair.step) * dot(pair.change, pair.change)))) return;
    Vec scaled = pair.change;
    objective_.precondition(scaled.data());
    scale_ = pair.curvature / dot(pair.change, scaled);
    pairs_.push_back(std::move(pair));
    if (pairs_.size() > kMemory) pairs_.pop_front();
  }

  SmoothObjective& objective_;
  Vec& x_;
  const LbfgsOptions& options_;
  runtime::CancelToken& token_;
  Vec gradient_, d_;
  std::deque<Pair> pairs_;
  double slope_ = 0.0, scale_ = 1.0;
  LbfgsFit fit_;
};

}  // namespace

LbfgsFit lbfgs(SmoothObjective& objective, std::vector<double>& x, const LbfgsOptions& options, runtime::CancelToken& token) {
  return Descent(objective, x, options, token).run();
}

}  // namespace mlwright::solver
