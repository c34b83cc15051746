#include "mlwright/cluster/lloyd.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cluster/cluster_sums.hpp"
#include "cluster/relocation.hpp"
#include "mlwright/runtime/ordered_reduce.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "simd/nearest.hpp"

namespace mlwright::cluster {
namespace {

constexpr float kUp = 1.0f + 0x1p-20f, kDown = 1.0f - 0x1p-20f;
constexpr index_t kMostRows = 4096;                // of a chunk: its bounds stay in the first-level cache
constexpr index_t kTogether = 64;                  // rows from their bounds to their sums: they stay in the second-level cache
constexpr index_t kTighten = 4096;                 // k p from which one exact distance costs little beside a search
constexpr index_t kWork = index_t{1} << 29;        // multiply-adds of a chunk: some 20 ms

index_t grain_of(index_t k, index_t p) {
  return std::clamp(kWork / std::max<index_t>(1, k * p) / 64 * 64, index_t{256}, kMostRows);
}

struct Scratch {  // of one thread
  Scratch() : offset(kMostRows), open(kTogether), squared(kMostRows), nearest(kMostRows) {}
  std::vector<std::int32_t> offset, open;
  std::vector<double> squared;
  std::vector<Nearest> nearest;
  Workspace work;
  RowList all(index_t begin, index_t end) {
    std::iota(offset.begin(), offset.begin() + (end - begin), 0);
    return {begin, offset.data(), end - begin};
  }
};

double weight_of(const double* w, index_t r) { return w == nullptr ? 1.0 : w[r]; }

class Lloyd {
 public:
  Lloyd(const Points& points, const double* w, std::span<const double> start, const Frame& frame,
        std::span<std::int32_t> labels, runtime::CancelToken& token)
      : points_(points), w_(w), n_(points.rows()), p_(points.cols()), k_(static_cast<index_t>(start.size()) / points.cols()),
        labels_(labels), token_(token), centers_(k_, p_, frame, points.sparse()), totals_(k_, p_),
        upper_(static_cast<std::size_t>(n_)), lower_(static_cast<std::size_t>(n_)), drift_(static_cast<std::size_t>(k_), 0.0f),
        half_gap_(static_cast<std::size_t>(k_), 0.0f) {
    std::fill(labels.begin(), labels.end(), -1);
    centers_.set(start);
  }

  // Nearest centres of all points; the number of labels that changed.
  index_t assign() {
    index_t changed = 0;
    if (bounded_) measure_gaps();
    runtime::PerWorker<Scratch> scratch([] { return Scratch(); });
    runtime::ordered_reduce(
        n_, grain_of(k_, p_), token_, [&] { return PartialSums(k_, p_); },
        [&](PartialSums& part, index_t begin, index_t end) {
          part.clear();
          assign_chunk(part, begin, end, scratch.local());
        },
        [&](const PartialSums& part) {
          totals_.add(part);
          changed += part.changed;
        });
    bounded_ = true;
    return changed;
  }

  // Centres to the means of their points; the sum of their squared movements.
  double move() {
    std::vector<double> means(static_cast<std::size_t>(k_ * p_)), weight(static_cast<std::size_t>(k_));
    std::vector<std::int64_t> rows(static_cast<std::size_t>(k_));
    bool empty = false;
    for (index_t j = 0; j < k_; ++j) {
      rows[static_cast<std::size_t>(j)] = totals_.rows(j);
      weight[static_cast<std::size_t>(j)] = totals_.rows(j) > 0 ? totals_.weight(j) : 0.0;
      empty = empty || totals_.rows(j) == 0;
      for (index_t i = 0; i < p_ && totals_.rows(j) > 0; ++i) means[static_cast<std::size_t>(j * p_ + i)] = totals_.sum(j, i);
    }
    relocated_ = empty && relocate_and_average(points_, w_, labels_, squared_distances(), rows, weight, means);
    if (!empty) average(p_, weight, means);
    if (points_.in_single())
      for (double& x : means) x = static_cast<double>(static_cast<float>(x));
    return set_centers(means);
  }

  // Whether the last move gave points to empty clusters: the labels do not tell of it yet.
  bool relocated() const noexcept { return relocated_; }

  double inertia() {
    double total = 0.0;
    const auto squared = squared_distances();
    for (index_t r = 0; r < n_; ++r) total += weight_of(w_, r) * squared[static_cast<std::size_t>(r)];
    return total;
  }

  std::vector<double> centers() const { return {centers_.values(), centers_.values() + k_ * p_}; }

 private:
  void assign_chunk(PartialSums& part, index_t begin, index_t end, Scratch& scratch) {
    const RowList loose = bounded_ ? still_open(begin, end, scratch) : scratch.all(begin, end);
    const bool tighten = bounded_ && k_ * p_ >= kTighten;
    RowList open{begin, scratch.open.data(), 0};
    for (index_t i = 0; i < loose.count; ++i) {
      if (tighten && !open_when_tightened(begin + loose.offset[i])) continue;
      scratch.open[static_cast<std::size_t>(open.count++)] = loose.offset[i];
      if (open.count == kTogether) {
        search(part, open, scratch);
        open.count = 0;
      }
    }
    search(part, open, scratch);
  }

  void search(PartialSums& part, const RowList& open, Scratch& scratch) {
    if (open.count == 0) return;
    points_.nearest(centers_, open, scratch.nearest.data(), scratch.work);
    for (index_t i = 0; i < open.count; ++i) {
      const index_t r = open.begin + open.offset[i];
      const auto at = static_cast<std::size_t>(r);
      const Nearest& found = scratch.nearest[static_cast<std::size_t>(i)];
      upper_[at] = found.upper;
      lower_[at] = found.lower;
      const std::int32_t old = labels_[at];
      if (found.label == old) continue;
      ++part.changed;
      const double w = weight_of(w_, r);
      if (old >= 0) part.move(points_, r, w, old, -1);
      part.move(points_, r, w, found.label, 1);
      labels_[at] = found.label;
    }
  }

  // The rows of a chunk whose bounds, loosened by how far the centres moved, leave their label open.
  RowList still_open(index_t begin, index_t end, Scratch& scratch) {
    index_t count = 0;
    for (index_t r = begin; r < end; ++r) {
      const auto at = static_cast<std::size_t>(r);
      const auto label = static_cast<std::size_t>(labels_[at]);
      const float upper = (upper_[at] + drift_[label]) * kUp;
      const float lower = lower_[at] - (labels_[at] == fastest_ ? second_drift_ : drift_most_);
      upper_[at] = upper;
      lower_[at] = lower > 0.0f ? lower * kDown : 0.0f;
      scratch.offset[static_cast<std::size_t>(count)] = static_cast<std::int32_t>(r - begin);
      count += !(upper < std::max(lower_[at], half_gap_[label]));
    }
    return {begin, scratch.offset.data(), count};
  }

  // Whether the label of a row stays open when the distance to its centre is computed anew.
  bool open_when_tightened(index_t r) {
    const auto at = static_cast<std::size_t>(r);
    const std::int32_t zero = 0, label = labels_[at];
    double squared;
    points_.to_labelled(centers_, {r, &zero, 1}, &label, &squared);
    upper_[at] = std::min(upper_[at], static_cast<float>(std::sqrt(squared) * centers_.frame().unit) * kUp);
    return !(upper_[at] < std::max(lower_[at], half_gap_[static_cast<std::size_t>(label)]));
  }

  // Half the distance from each centre to the next one, where that costs little beside the points.
  void measure_gaps() {
    if (k_ < 2 || k_ * k_ * 2 > n_) return;
    const auto between = simd::nearest().between_f64;
    runtime::parallel_for(k_, 8, token_, [&](index_t, index_t begin, index_t end) {
      for (index_t j = begin; j < end; ++j) {
        double least = std::numeric_limits<double>::infinity();
        for (index_t other = 0; other < k_; ++other)
          if (other != j) least = std::min(least, between(centers_.row(j), centers_.row(other), p_));
        half_gap_[static_cast<std::size_t>(j)] = static_cast<float>(0.5 * std::sqrt(least) * centers_.frame().unit) * kDown;
      }
    });
  }

  double squared_between(const double* a, const double* b) const {
    double sum = 0.0;
    for (index_t i = 0; i < p_; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
  }

  double set_centers(const std::vector<double>& means) {
    double total = 0.0;
    drift_most_ = second_drift_ = 0.0f;
    fastest_ = -1;
    for (index_t j = 0; j < k_; ++j) {
      const double squared = squared_between(means.data() + j * p_, centers_.row(j));
      total += squared;
      const float drift = static_cast<float>(std::sqrt(squared) * centers_.frame().unit) * kUp;
      drift_[static_cast<std::size_t>(j)] = drift;
      if (drift > drift_most_) {
        second_drift_ = drift_most_;
        drift_most_ = drift;
        fastest_ = static_cast<std::int32_t>(j);
      } else {
        second_drift_ = std::max(second_drift_, drift);
      }
    }
    centers_.set(means);
    return total;
  }

  std::vector<double> squared_distances() {
    std::vector<double> out(static_cast<std::size_t>(n_));
    runtime::PerWorker<Scratch> scratch([] { return Scratch(); });
    runtime::parallel_for(n_, grain_of(1, p_), token_, [&](index_t, index_t begin, index_t end) {
      points_.to_labelled(centers_, scratch.local().all(begin, end), labels_.data() + begin, out.data() + begin);
    });
    return out;
  }

  const Points& points_;
  const double* w_;
  index_t n_, p_, k_;
  std::span<std::int32_t> labels_;
  runtime::CancelToken& token_;
  Centers centers_;
  TotalSums totals_;
  std::vector<float> upper_, lower_, drift_, half_gap_;
  float drift_most_ = 0.0f, second_drift_ = 0.0f;
  std::int32_t fastest_ = -1;
  bool bounded_ = false, relocated_ = false;
};

}  // namespace

LloydResult lloyd(const Points& points, const double* w, std::span<const double> start, const Frame& frame,
                  const LloydSettings& settings, std::span<std::int32_t> labels, runtime::Progress& progress,
                  runtime::CancelToken& token) {
  Lloyd run(points, w, start, frame, labels, token);
  LloydResult result;
  while (result.n_iter < settings.max_iter) {
    const index_t changed = run.assign();
    const double moved = run.move();
    ++result.n_iter;
    progress.report({.stage = "k-means", .done = result.n_iter, .total = settings.max_iter,
                     .values = {{{"changed", static_cast<double>(changed)}, {"moved", moved}}}});
    result.strict = changed == 0 && !run.relocated();
    if (changed == 0 || moved <= settings.tol) break;
  }
  if (!result.strict) run.assign();
  result.inertia = run.inertia();
  result.centers = run.centers();
  return result;
}

Assignment assign(const Points& points, const double* w, const Centers& centers, bool with_sums,
                  std::span<std::int32_t> labels, runtime::CancelToken& token) {
  const index_t k = centers.count(), p = points.cols();
  Assignment result;
  TotalSums totals(with_sums ? k : 0, p);
  runtime::PerWorker<Scratch> scratch([] { return Scratch(); });
  runtime::ordered_reduce(
      points.rows(), grain_of(k, p), token, [&] { return PartialSums(with_sums ? k : 0, p); },
      [&](PartialSums& part, index_t begin, index_t end) {
        part.clear();
        Scratch& mine = scratch.local();
        const RowList rows = mine.all(begin, end);
        points.nearest(centers, rows, mine.nearest.data(), mine.work);
        for (index_t r = begin; r < end; ++r) labels[static_cast<std::size_t>(r)] = mine.nearest[static_cast<std::size_t>(r - begin)].label;
        points.to_labelled(centers, rows, labels.data() + begin, mine.squared.data());
        for (index_t r = begin; r < end; ++r) {
          part.inertia += weight_of(w, r) * mine.squared[static_cast<std::size_t>(r - begin)];
          if (with_sums) part.move(points, r, weight_of(w, r), labels[static_cast<std::size_t>(r)], 1);
        }
      },
      [&](const PartialSums& part) {
        result.inertia += part.inertia;
        totals.add(part);
      });
  for (index_t j = 0; j < totals.count(); ++j) {
    result.weight.push_back(totals.weight(j));
    for (index_t i = 0; i < p; ++i) result.sums.push_back(totals.sum(j, i));
  }
  return result;
}

void distances(const Points& points, const Centers& centers, double* out, runtime::CancelToken& token) {
  const index_t k = centers.count();
  runtime::PerWorker<Scratch> scratch([] { return Scratch(); });
  runtime::parallel_for(points.rows(), grain_of(k, points.cols()), token, [&](index_t, index_t begin, index_t end) {
    Scratch& mine = scratch.local();
    points.to_all(centers, mine.all(begin, end), out + begin * k, mine.work);
    for (index_t i = begin * k; i < end * k; ++i) out[i] = std::sqrt(out[i]);
  });
}

}  // namespace mlwright::cluster
