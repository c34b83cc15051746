#include "mlwright/sampler/nuts.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mlwright/base/elementary.hpp"
#include "sampler/moments.hpp"

namespace mlwright::sampler {
namespace {

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

Nuts::Nuts(const Target& target, int max_depth, std::function<void()> between_steps) : dynamics_(target, std::move(between_steps)) {
  const Vector zeros = dynamics_.zeros();
  forward_ = backward_ = proposal_ = sample_ = dynamics_.point();
  forward_ends_ = backward_ends_ = Ends{zeros, zeros, zeros, zeros};
  sum_ = sum_old_ = sum_new_ = joined_ = p_joint_ = v_joint_ = zeros;
  levels_.assign(static_cast<std::size_t>(max_depth), {dynamics_.point(), zeros, zeros, zeros, zeros, zeros, zeros});
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
  dynamics_.leapfrog(z, tree.direction * step_);
  ++info_.steps;
  const double error = dynamics_.energy(z) - start_energy_;
  tree.log_weight = -error;
  info_.acceptance += error > 0 ? exp(-error) : 1;
  if (!(error <= Hamiltonian::kDivergence)) {
    info_.diverging = true;
    return false;
  }
  *tree.proposal = z;
  *tree.sum = *tree.p_begin = *tree.p_end = z.p;
  *tree.v_begin = *tree.v_end = dynamics_.last_velocity();
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

void Nuts::start(runtime::Rng& rng, const State& state) {
  dynamics_.load(sample_, state);
  dynamics_.draw_momentum(rng, sample_);
  start_energy_ = dynamics_.energy(sample_);
  forward_ = backward_ = sample_;
  sum_ = forward_ends_.p_end = backward_ends_.p_end = sample_.p;
  forward_ends_.v_end = backward_ends_.v_end = dynamics_.last_velocity();
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

Info Nuts::step(runtime::Rng& rng, State state, const Dynamics& how) {
  dynamics_.use(how.metric);
  rng_ = &rng, step_ = how.step, info_ = {};
  start(rng, state);
  const int max_depth = static_cast<int>(levels_.size());
  while (info_.depth < max_depth && grow()) {
  }
  info_.acceptance /= info_.steps;
  info_.energy = dynamics_.energy(sample_);
  dynamics_.store(sample_, state);
  return info_;
}

}  // namespace mlwright::sampler
