#include "mlwright/sampler/nuts.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mlwright/base/elementary.hpp"
#include "sampler/moments.hpp"

namespace mlwright::sampler {
namespace {

constexpr int kStepsBetweenPolls = 8;
constexpr double kAcceptance = 0.8;  // of reasonable_step
constexpr int kMostDoublings = 60;

double log_add_exp(double a, double b) noexcept {
  if (a < b) std::swap(a, b);
  return b == -HUGE_VAL ? a : a + log1p(exp(b - a));
}

void set_sum(std::vector<double>& to, const std::vector<double>& a, const std::vector<double>& b) noexcept {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = a[i] + b[i];
}

double inner(const std::vector<double>& a, const std::vector<double>& b) noexcept {
  return dot(a.data(), b.data(), static_cast<index_t>(a.size()));
}

}  // namespace

// A subtree writes its proposal, its ends and the sum of its momenta where these point, and adds up the rest.
struct Nuts::Subtree {
  Point* proposal;
  Vector *sum, *p_begin, *v_begin, *p_end, *v_end;
  double direction;
  double log_weight = -HUGE_VAL;
};

Nuts::Nuts(const Target& target, int max_depth, std::function<void()> between_steps)
    : target_(target), between_steps_(std::move(between_steps)) {
  const Point point{zeros(), zeros(), zeros()};
  forward_ = backward_ = proposal_ = sample_ = point;
  forward_ends_ = backward_ends_ = Ends{zeros(), zeros(), zeros(), zeros()};
  sum_ = sum_old_ = sum_new_ = joined_ = p_joint_ = v_joint_ = zeros();
  x_ = scratch_ = Vector(static_cast<std::size_t>(target.size()));
  levels_.assign(static_cast<std::size_t>(max_depth), {point, zeros(), zeros(), zeros(), zeros(), zeros(), zeros()});
}

void Nuts::draw_momentum(runtime::Rng& rng, Vector& p) const {
  for (std::size_t i = 0; i < p.size(); ++i) p[i] = rng.normal() / std::sqrt(inverse_mass_[i]);
}

void Nuts::velocity(const Vector& p, Vector& v) const {
  for (std::size_t i = 0; i < p.size(); ++i) v[i] = inverse_mass_[i] * p[i];
}

double Nuts::kinetic(const Vector& p) const {
  return 0.5 * lane_sum(static_cast<index_t>(p.size()), [&](index_t i) {
    const auto k = static_cast<std::size_t>(i);
    return inverse_mass_[k] * p[k] * p[k];
  });
}

double Nuts::energy(const Point& z) const {
  const double h = kinetic(z.p) - z.log_density;
  return std::isnan(h) ? HUGE_VAL : h;
}

void Nuts::leapfrog(Point& z, double step) {
  for (std::size_t i = 0; i < z.u.size(); ++i) {
    z.p[i] += 0.5 * step * z.gradient[i];
    z.u[i] += step * (inverse_mass_[i] * z.p[i]);
  }
  z.log_density = target_(z.u.data(), z.gradient.data(), x_.data(), scratch_.data());
  if (z.log_density == -HUGE_VAL) return;  // the gradient means nothing; the trajectory ends here
  for (std::size_t i = 0; i < z.u.size(); ++i) z.p[i] += 0.5 * step * z.gradient[i];
}

// Neither end moves towards the other, as seen along the sum of all momenta between them.
bool Nuts::keeps_apart(const Vector& v_begin, const Vector& v_end, const Vector& sum) const {
  return inner(v_begin, sum) > 0 && inner(v_end, sum) > 0;
}

bool Nuts::keeps_apart(const Vector& v_begin, const Vector& v_end, const Vector& sum, const Vector& more) {
  set_sum(joined_, sum, more);
  return keeps_apart(v_begin, v_end, joined_);
}

bool Nuts::leaf(Point& z, Subtree& tree) {
  if (info_.steps % kStepsBetweenPolls == 0) between_steps_();
  leapfrog(z, tree.direction * step_);
  ++info_.steps;
  const double error = energy(z) - start_energy_;
  tree.log_weight = -error;
  info_.acceptance += error > 0 ? exp(-error) : 1;
  if (!(error <= kDivergence)) {
    info_.diverging = true;
    return false;
  }
  *tree.proposal = z;
  *tree.sum = *tree.p_begin = *tree.p_end = z.p;
  velocity(z.p, *tree.v_begin);
  *tree.v_end = *tree.v_begin;
  return true;
}

// 2^depth more points from z on. False where they diverge or turn: then nothing but z and the counts has a meaning.
bool Nuts::build(int depth, Point& z, Subtree& tree) {
  if (depth == 0) return leaf(z, tree);
  Level& own = levels_[static_cast<std::size_t>(depth - 1)];
  Subtree left = tree, right = tree;
  left.sum = &own.sum_left, left.p_end = &own.p_left_end, left.v_end = &own.v_left_end;
  right.proposal = &own.proposal;
  right.sum = &own.sum_right, right.p_begin = &own.p_right_begin, right.v_begin = &own.v_right_begin;
  if (!build(depth - 1, z, left) || !build(depth - 1, z, right)) return false;
  tree.log_weight = log_add_exp(left.log_weight, right.log_weight);
  if (rng_->uniform() < exp(right.log_weight - tree.log_weight)) std::swap(*tree.proposal, own.proposal);
  set_sum(*tree.sum, own.sum_left, own.sum_right);
  return keeps_apart(*tree.v_begin, *tree.v_end, *tree.sum) &&
         keeps_apart(*tree.v_begin, own.v_right_begin, own.sum_left, own.p_right_begin) &&
         keeps_apart(own.v_left_end, *tree.v_end, own.sum_right, own.p_left_end);
}

void Nuts::load(Point& z, const State& state) {
  std::copy(state.u.begin(), state.u.end(), z.u.begin());
  std::copy(state.gradient.begin(), state.gradient.end(), z.gradient.begin());
  z.log_density = *state.log_density;
}

void Nuts::start(runtime::Rng& rng, const State& state) {
  load(sample_, state);
  draw_momentum(rng, sample_.p);
  start_energy_ = energy(sample_);
  forward_ = backward_ = sample_;
  sum_ = forward_ends_.p_end = backward_ends_.p_end = sample_.p;
  velocity(sample_.p, forward_ends_.v_end);
  backward_ends_.v_end = forward_ends_.v_end;
  log_weight_ = 0;
}

// Doubles the trajectory; false where it shall not grow any more. Either end is kept in the order outwards: of the part
// that grew last, p_begin is its inner end and p_end its outer one.
bool Nuts::grow() {
  const bool forwards = rng_->uniform() < 0.5;
  Ends& ahead = forwards ? forward_ends_ : backward_ends_;
  const Ends& behind = forwards ? backward_ends_ : forward_ends_;
  sum_old_ = sum_;
  p_joint_ = ahead.p_end, v_joint_ = ahead.v_end;
  Subtree tree{&proposal_, &sum_new_, &ahead.p_begin, &ahead.v_begin, &ahead.p_end, &ahead.v_end, forwards ? 1.0 : -1.0};
  if (!build(info_.depth, forwards ? forward_ : backward_, tree)) return false;
  ++info_.depth;
  if (tree.log_weight > log_weight_ || rng_->uniform() < exp(tree.log_weight - log_weight_)) std::swap(sample_, proposal_);
  log_weight_ = log_add_exp(log_weight_, tree.log_weight);
  set_sum(sum_, sum_old_, sum_new_);
  return keeps_apart(behind.v_end, ahead.v_end, sum_) &&
         keeps_apart(behind.v_end, ahead.v_begin, sum_old_, ahead.p_begin) &&
         keeps_apart(v_joint_, ahead.v_end, sum_new_, p_joint_);
}

Info Nuts::transition(runtime::Rng& rng, State state, std::span<const double> inverse_mass, double step) {
  rng_ = &rng, inverse_mass_ = inverse_mass, step_ = step, info_ = {};
  start(rng, state);
  const int max_depth = static_cast<int>(levels_.size());
  while (info_.depth < max_depth && grow()) {
  }
  info_.acceptance /= info_.steps;
  info_.energy = energy(sample_);
  std::copy(sample_.u.begin(), sample_.u.end(), state.u.begin());
  std::copy(sample_.gradient.begin(), sample_.gradient.end(), state.gradient.begin());
  *state.log_density = sample_.log_density;
  return info_;
}

double Nuts::reasonable_step(runtime::Rng& rng, State state, std::span<const double> inverse_mass, double step) {
  inverse_mass_ = inverse_mass;
  const auto acceptance_is_high = [&](double size) {
    load(forward_, state);
    draw_momentum(rng, forward_.p);
    const double before = energy(forward_);
    between_steps_();
    leapfrog(forward_, size);
    return before - energy(forward_) > log(kAcceptance);
  };
  const bool larger = acceptance_is_high(step);
  for (int i = 0; i < kMostDoublings && acceptance_is_high(step) == larger; ++i) step *= larger ? 2 : 0.5;
  return step;
}

}  // namespace mlwright::sampler
