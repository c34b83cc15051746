#include "mlwright/solver/coordinate_descent.hpp"

#include <algorithm>
#include <cmath>

#include "mlwright/linalg/small_cholesky.hpp"
#include "mlwright/runtime/polling.hpp"
#include "simd/vector.hpp"
#include "solver/certificate.hpp"

namespace mlwright::solver {

namespace {

constexpr index_t kFewest = 64;       // features that may join at once, however small the set is
constexpr double kStill = 1e-32;      // of `square`: no step of a sweep brings more, so rounding is all that is left
constexpr int kMostBlocked = 8;       // Newton steps in a row that end at the edge of a piece
constexpr double kPatience = 4.0;     // times a Newton step's cost in sweeps before one is made on a support that moves
constexpr double kShortest = 1e-3;    // of a Newton step that is tried beyond the first edge
constexpr double kDamping = 1e-7;     // of the diagonal, where the support's Gram matrix is singular
constexpr index_t kChecked = 4;       // sweeps between looks at the certificate while the support moves

std::size_t at(index_t i) { return static_cast<std::size_t>(i); }

}  // namespace

template <class Penalty>
class CoordinateDescent {
 public:
  CoordinateDescent(const Quadratic& q, const Penalty& penalty, double* b, double* gradient, CdWorkspace& w, const Stop& stop,
                    runtime::CancelToken& token)
      : q_(q), penalty_(penalty), b_(b), gradient_(gradient), w_(w), stop_(stop), token_(token) {}

  Descent run() {
    prepare();
    form_gradient();
    Certificate now = whole();
    while (!is_enough(now, stop_) && n_sweeps_ < stop_.max_sweeps) {
      const bool grown = admit_violators();
      const index_t before = n_sweeps_;
      const bool moved = solve_set(now);
      form_gradient();
      now = whole();
      if (!grown && !moved && n_sweeps_ > before) break;  // rounding is all that is left
    }
    return {now.objective, now.gap, now.violation, n_sweeps_, is_enough(now, stop_)};
  }

 private:
  // The set of the call before, unless most of it has left the support; always with the support of b.
  void prepare() {
    index_t support = 0;
    for (index_t j = 0; j < q_.p; ++j) support += b_[j] != 0.0;
    if (w_.n_ > 2 * support + kFewest || w_.place_.size() != at(q_.p)) w_.n_ = 0;
    if (w_.n_ == 0) {
      w_.place_.assign(at(q_.p), -1);
      w_.member_.clear();
    }
    reserve(support);
    for (index_t j = 0; j < q_.p; ++j)
      if (b_[j] != 0.0) admit(j);
    whole_inverse_.resize(at(q_.p));
    for (index_t j = 0; j < q_.p; ++j) whole_inverse_[at(j)] = inverse_of(diagonal(j));
  }

  double diagonal(index_t j) const { return q_.gram[j * q_.stride + j]; }
  static double inverse_of(double d) { return d > 0.0 ? 1.0 / d : 0.0; }

  void form_gradient() {
    for (index_t j = 0; j < q_.p; ++j) gradient_[j] = -q_.linear[j];
    for (index_t j = 0; j < q_.p; ++j)
      if (b_[j] != 0.0) simd::vector().axpy(b_[j], q_.gram + j * q_.stride, q_.p, gradient_);
  }

  Certificate whole() const {
    return Certifier<Penalty>(penalty_, nullptr, q_.p, b_, gradient_, q_.linear, q_.square)(whole_inverse_.data());
  }
  Certificate of_set() const {
    return Certifier<Penalty>(penalty_, w_.member_.data(), w_.n_, w_.b_.data(), w_.g_.data(), w_.linear_.data(),
                              q_.square)(w_.inverse_.data());
  }

  // Features outside the set whose conditions are violated, the worst first, join it; false where there are none.
  bool admit_violators() {
    auto& found = w_.violators_;
    found.clear();
    for (index_t j = 0; j < q_.p; ++j) {
      if (w_.place_[at(j)] >= 0 || whole_inverse_[at(j)] == 0.0) continue;
      const double distance = penalty::subdiff_distance(penalty_.at(j), 0.0, gradient_[j]);
      if (distance > 0.0) found.emplace_back(-distance * std::sqrt(whole_inverse_[at(j)]), j);
    }
    const index_t most = std::max(kFewest, 2 * w_.n_);
    if (static_cast<index_t>(found.size()) > most) {
      std::nth_element(found.begin(), found.begin() + most, found.end());
      found.resize(at(most));
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    reserve(w_.n_ + static_cast<index_t>(found.size()));
    for (const auto& [_, j] : found) admit(j);
    return !found.empty();
  }

  void reserve(index_t n) {
    if (n <= w_.capacity_) return;
    const index_t capacity = std::min(std::max(n, 2 * w_.capacity_), std::max(n, q_.p));
    std::vector<double> grown(at(capacity * capacity));
    for (index_t i = 0; i < w_.n_; ++i)
      std::copy_n(w_.gram_.data() + i * w_.capacity_, w_.n_, grown.data() + i * capacity);
    w_.gram_ = std::move(grown);
    w_.capacity_ = capacity;
    for (auto* array : {&w_.b_, &w_.g_, &w_.linear_, &w_.diagonal_, &w_.inverse_}) array->resize(at(capacity));
  }

  void admit(index_t j) {
    if (w_.place_[at(j)] >= 0) return;
    const index_t i = w_.n_++;
    w_.place_[at(j)] = i;
    w_.member_.resize(at(i));
    w_.member_.push_back(j);
    const double* row = q_.gram + j * q_.stride;
    for (index_t k = 0; k <= i; ++k) {
      const double entry = row[w_.member_[at(k)]];
      w_.gram_[at(i * w_.capacity_ + k)] = entry;
      w_.gram_[at(k * w_.capacity_ + i)] = entry;
    }
    w_.diagonal_[at(i)] = diagonal(j);
    w_.inverse_[at(i)] = inverse_of(diagonal(j));
  }

  // Solves the working set as far as is worth it by what is left of the whole; false where nothing moved.
  bool solve_set(const Certificate& left) {
    gather();
    bool moved = false;
    double work = 0.0;  // multiply-adds since the last Newton step
    for (index_t k = 1; n_sweeps_ < stop_.max_sweeps; ++k) {
      runtime::stop_if_asked(token_);
      const Sweep done = sweep();
      ++n_sweeps_;
      moved = moved || done.largest > 0.0;
      work += static_cast<double>(done.updates) * static_cast<double>(w_.n_);
      if (done.largest <= kStill * q_.square) break;
      if ((!done.support_moved || k % kChecked == 0) && is_enough_for_now(of_set(), left, stop_)) break;
      const auto size = static_cast<double>(done.updates);
      const double patience = done.support_moved ? kPatience : 1.0;
      if (k > 1 && work >= patience * size * size * size / 6.0) {
        for (int repeat = 0; repeat < kMostBlocked && newton_step(); ++repeat) {
        }
        work = 0.0;
        if (is_enough_for_now(of_set(), left, stop_)) break;
      }
    }
    for (index_t i = 0; i < w_.n_; ++i) b_[w_.member_[at(i)]] = w_.b_[at(i)];
    return moved;
  }

  void gather() {
    for (index_t i = 0; i < w_.n_; ++i) {
      const index_t j = w_.member_[at(i)];
      w_.b_[at(i)] = b_[j];
      w_.g_[at(i)] = gradient_[j];
      w_.linear_[at(i)] = q_.linear[j];
    }
  }

  struct Sweep {
    double largest = 0.0;  // of G_jj step^2
    index_t updates = 0;
    bool support_moved = false;
  };

  Sweep sweep() {
    Sweep done;
    const auto axpy = simd::vector().axpy;
    const index_t n = w_.n_;
    double *b = w_.b_.data(), *g = w_.g_.data();
    for (index_t i = 0; i < n; ++i) {
      const double step = w_.inverse_[at(i)], old = b[i];
      if (step == 0.0) {
        b[i] = 0.0;  // a column without spread
        continue;
      }
      const double fresh = penalty_.at(w_.member_[at(i)]).prox(old - g[i] * step, step), change = fresh - old;
      if (change == 0.0) continue;
      b[i] = fresh;
      axpy(change, w_.gram_.data() + i * w_.capacity_, n, g);
      done.largest = std::max(done.largest, w_.diagonal_[at(i)] * change * change);
      done.support_moved = done.support_moved || (fresh == 0.0) != (old == 0.0);
      ++done.updates;
    }
    return done;
  }

  // To the minimiser over the support as long as no coefficient leaves its piece of the penalty; as far as that holds else,
  // which takes one out of the support (true: blocked). Where the support's Gram matrix is singular, a little damping turns
  // the step along its null space: descent all the same, until the columns that are left are independent.
  bool newton_step() {
    auto& support = w_.support_;
    support.clear();
    for (index_t i = 0; i < w_.n_; ++i) {
      const double b = w_.b_[at(i)];
      const penalty::Piece piece = penalty_.at(w_.member_[at(i)]).piece(b);
      if (b != 0.0 && piece.low < b && b < piece.high) support.push_back(i);
    }
    const auto n = static_cast<index_t>(support.size());
    w_.factor_.resize(at(n * n));
    w_.step_.resize(at(n));
    load_support(1.0);
    if (!linalg::small_cholesky(w_.factor_.data(), n)) {
      load_support(1.0 + kDamping);
      if (!linalg::small_cholesky(w_.factor_.data(), n)) return false;
    }
    linalg::small_cholesky_solve(w_.factor_.data(), n, w_.step_.data());
    return move_along();
  }

  // The second derivatives on the support, their diagonal multiplied, and minus the first.
  void load_support(double damping) {
    const auto& support = w_.support_;
    const auto n = static_cast<index_t>(support.size());
    for (index_t r = 0; r < n; ++r) {
      const index_t i = support[at(r)];
      const double b = w_.b_[at(i)];
      const penalty::Piece piece = penalty_.at(w_.member_[at(i)]).piece(b);
      for (index_t s = 0; s < r; ++s) w_.factor_[at(r * n + s)] = w_.gram_[at(i * w_.capacity_ + support[at(s)])];
      w_.factor_[at(r * n + r)] = w_.diagonal_[at(i)] * damping + piece.curvature;
      w_.step_[at(r)] = -(w_.g_[at(i)] + piece.slope + piece.curvature * b);
    }
  }

  // Along the Newton step: all of it, coefficients that would leave their piece kept at its edge, as long as that lowers the
  // objective; else half as far, and in the end to the first edge, which always does. True where an edge was met.
  bool move_along() {
    const double to_edge = length_to_first_edge();
    if (to_edge >= 1.0) {
      apply(1.0);
      return false;
    }
    const std::vector<double> b = w_.b_, g = w_.g_;
    for (double length = 1.0; length > to_edge && length > kShortest; length *= 0.5) {
      if (apply(length) < 0.0) return true;
      w_.b_ = b;
      w_.g_ = g;
    }
    apply(to_edge);
    return true;
  }

  double length_to_first_edge() const {
    double length = 1.0;
    for (std::size_t r = 0; r < w_.support_.size(); ++r) {
      const double b = w_.b_[at(w_.support_[r])], step = w_.step_[r];
      const penalty::Piece piece = penalty_.at(w_.member_[at(w_.support_[r])]).piece(b);
      const double end = step > 0.0 ? piece.high : piece.low;
      if (step != 0.0 && std::isfinite(end)) length = std::min(length, (end - b) / step);
    }
    return length;
  }

  // Moves and returns by how much the objective changes.
  double apply(double length) {
    double before = 0.0, after = 0.0;
    for (std::size_t r = 0; r < w_.support_.size(); ++r) {
      const index_t i = w_.support_[r];
      const auto of_one = penalty_.at(w_.member_[at(i)]);
      const double old = w_.b_[at(i)];
      const penalty::Piece piece = of_one.piece(old);
      const double fresh = std::clamp(old + length * w_.step_[r], piece.low, piece.high), change = fresh - old;
      before += of_one.value(old) - 0.5 * change * w_.g_[at(i)];  // g at the start of this coefficient's move ...
      simd::vector().axpy(change, w_.gram_.data() + i * w_.capacity_, w_.n_, w_.g_.data());
      after += of_one.value(fresh) + 0.5 * change * w_.g_[at(i)];  // ... and at its end: exact for a quadratic
      w_.b_[at(i)] = fresh;
    }
    return after - before;
  }

  const Quadratic& q_;
  const Penalty& penalty_;
  double *b_, *gradient_;
  CdWorkspace& w_;
  const Stop& stop_;
  runtime::CancelToken& token_;
  std::vector<double> whole_inverse_;
  index_t n_sweeps_ = 0;
};

template <class Penalty>
Descent coordinate_descent(const Quadratic& problem, const Penalty& penalty, double* b, double* gradient,
                           CdWorkspace& workspace, const Stop& stop, runtime::CancelToken& token) {
  return CoordinateDescent<Penalty>(problem, penalty, b, gradient, workspace, stop, token).run();
}

#define MLWRIGHT_INSTANTIATE(Penalty)                                                                                    \
  template Descent coordinate_descent<Penalty>(const Quadratic&, const Penalty&, double*, double*, CdWorkspace&, const Stop&, \
                                               runtime::CancelToken&);
MLWRIGHT_INSTANTIATE(penalty::ElasticNets)
MLWRIGHT_INSTANTIATE(penalty::Boxed<penalty::ElasticNets>)
MLWRIGHT_INSTANTIATE(penalty::Concaves<penalty::Mcp>)
MLWRIGHT_INSTANTIATE(penalty::Concaves<penalty::Scad>)
MLWRIGHT_INSTANTIATE(penalty::Boxed<penalty::Concaves<penalty::Mcp>>)
MLWRIGHT_INSTANTIATE(penalty::Boxed<penalty::Concaves<penalty::Scad>>)

}  // namespace mlwright::solver
