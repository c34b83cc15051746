#include "mlwright/solver/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <deque>

namespace mlwright::solver {
namespace {

constexpr std::size_t kMemory = 10;
constexpr int kMostTrials = 30;
constexpr index_t kMostProducts = 200;  // of a step by conjugate gradients
constexpr double kFlat = 1e-3;          // share of the preconditioner's curvature below which only the penalty's bound is believed
constexpr double kUnseenSteps = 10.0;   // as many times the last gain may be what later steps would find
constexpr double kStepLeft = 0.01;      // of its gain: where Newton's step is good enough
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

// The inverse Hessian that steps so far and the preconditioner tell.
class Inverse {
 public:
  explicit Inverse(const SmoothObjective& objective) : objective_(objective) {}
  bool empty() const { return pairs_.empty(); }
  void clear() { pairs_.clear(); }

  void apply(Vec& d) const {
    std::vector<double> a(pairs_.size());
    for (std::size_t i = pairs_.size(); i-- > 0;) {
      a[i] = dot(pairs_[i].step, d) / pairs_[i].curvature;
      add(d, -a[i], pairs_[i].change);
    }
    objective_.precondition(d.data());
    if (!pairs_.empty())
      for (double& v : d) v *= scale_;
    for (std::size_t i = 0; i < pairs_.size(); ++i) add(d, a[i] - dot(pairs_[i].change, d) / pairs_[i].curvature, pairs_[i].step);
  }

  // step: a change of parameters; change: that of the gradient.
  void remember(Vec step, Vec change) {
    Pair pair{std::move(step), std::move(change), 0.0};
    pair.curvature = dot(pair.step, pair.change);
    if (!(pair.curvature > kCurvature * std::sqrt(dot(pair.step, pair.step) * dot(pair.change, pair.change)))) return;
    Vec scaled = pair.change;
    objective_.precondition(scaled.data());
    scale_ = pair.curvature / dot(pair.change, scaled);
    pairs_.push_back(std::move(pair));
    if (pairs_.size() > kMemory) pairs_.pop_front();
  }

 private:
  struct Pair {
    Vec step, change;
    double curvature;
  };
  const SmoothObjective& objective_;
  std::deque<Pair> pairs_;
  double scale_ = 1.0;
};

// Newton's step by conjugate gradients, or that there is none worth taking.
class NewtonStep {
 public:
  NewtonStep(const SmoothObjective& objective, const Inverse& inverse, const Vec& x, double enough, runtime::CancelToken& token)
      : objective_(objective), inverse_(inverse), token_(token), enough_(enough), image_(x.size()) {
    look_along(x);
  }

  const Vec& step() const { return d_; }     // -H^-1 gradient, as far as it was found
  double gain() const { return gain_; }      // gradient' H^-1 gradient, from below: twice what is left to gain
  index_t products() const { return products_; }

  // To where what is left is known to be at most `enough`, or the step is all but found.
  void run(const Vec& gradient) {
    Vec r = gradient, z = gradient;
    d_.assign(gradient.size(), 0.0);
    inverse_.apply(z);
    Vec p = z;
    double rho = dot(r, z);
    for (index_t k = 1; k <= kMostProducts && rho > 0.0; ++k) {
      const double bend = look_along(p);
      if (!(bend > 0.0) || !std::isfinite(bend)) return;
      const double t = rho / bend, more = t * rho;
      add(d_, -t, p);
      add(r, -t, image_);
      gain_ += more;
      if (ends(k, more, r)) return;
      z = r;
      inverse_.apply(z);
      const double next = dot(r, z), beta = next / rho;
      rho = next;
      for (std::size_t i = 0; i < p.size(); ++i) p[i] = z[i] + beta * p[i];
    }
  }

 private:
  // p'Hp, with Hp in image_.
  double look_along(const Vec& p) {
    const double bound = objective_.times_hessian(p.data(), image_.data(), token_), bend = dot(p, image_);
    ++products_;
    if (bound > 0.0) flattest_ = std::min(flattest_, bend / bound);
    return bend;
  }

  bool ends(index_t k, double more, const Vec& r) const {
    const double most = objective_.bound(r.data(), flattest_);
    if (most <= kStepLeft * std::max(gain_, enough_)) return true;
    if (std::isfinite(most) && flattest_ < kFlat) return false;
    return gain_ > enough_ ? more <= kStepLeft * gain_ : k > 1 && kUnseenSteps * more <= enough_ - gain_;
  }

  const SmoothObjective& objective_;
  const Inverse& inverse_;
  runtime::CancelToken& token_;
  double enough_;
  Vec image_, d_;
  double gain_ = 0.0, flattest_ = 1.0;  // flattest_: least share of M's curvature in a direction looked along
  index_t products_ = 0;
};

class Descent {
 public:
  Descent(SmoothObjective& objective, Vec& x, const LbfgsOptions& options, runtime::CancelToken& token)
      : objective_(objective), x_(x), options_(options), token_(token), inverse_(objective) {}

  LbfgsFit run() {
    gradient_.resize(x_.size());
    fit_.objective = evaluate(x_, gradient_);
    const double first = std::fabs(fit_.objective - objective_.saturated());
    while (true) {
      if (!std::isfinite(fit_.objective)) return end(Status::not_finite);
      direction();
      const double deviance = std::max({fit_.objective - objective_.saturated(), kPerfect * first, 1e-300});
      fit_.violation = objective_.largest_curvature_violation(gradient_.data()) / std::sqrt(deviance);
      const double enough = std::max(0.05 * options_.tol * options_.tol * deviance, kUnseen * noise());
      if (slope_ <= enough && fit_.violation <= options_.tol) {
        if (certified(deviance)) return end(Status::converged);
        if (fit_.n_iter == options_.max_iter) return end(Status::iterations);
        continue;
      }
      if (fit_.n_iter == options_.max_iter) return end(Status::iterations);
      if (!advance()) {
        if (inverse_.empty()) return end(fit_.violation <= options_.tol ? Status::converged : Status::stalled);
        inverse_.clear();
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
    inverse_.apply(d_);
    slope_ = dot(gradient_, d_);
    for (double& v : d_) v = -v;
  }

  // Whether as little is left to gain as the recursion says. If not, goes to where Newton's step leads.
  bool certified(double deviance) {
    const double enough = std::max(0.2 * options_.tol * options_.tol * deviance, noise());
    if (objective_.bound(gradient_.data(), kFlat) <= enough) return true;
    objective_.curve_at(x_.data(), token_);
    NewtonStep newton(objective_, inverse_, x_, enough, token_);
    newton.run(gradient_);
    fit_.n_evaluations += newton.products();
    if (newton.gain() <= enough) return true;
    fit_.n_iter = std::min(options_.max_iter, fit_.n_iter + newton.products());
    d_ = newton.step();
    slope_ = newton.gain();
    return fit_.n_iter < options_.max_iter && !advance();
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
    Vec step = d_, change = there;
    for (double& v : step) v *= t;
    add(change, -1.0, gradient_);
    inverse_.remember(std::move(step), std::move(change));
  }

  SmoothObjective& objective_;
  Vec& x_;
  const LbfgsOptions& options_;
  runtime::CancelToken& token_;
  Vec gradient_, d_;
  Inverse inverse_;
  double slope_ = 0.0;
  LbfgsFit fit_;
};

}  // namespace

LbfgsFit lbfgs(SmoothObjective& objective, std::vector<double>& x, const LbfgsOptions& options, runtime::CancelToken& token) {
  return Descent(objective, x, options, token).run();
}

}  // namespace mlwright::solver
