// Lloyd's algorithm for k-means, with bounds that spare most distances and change no label.
//
//   assign:  label_r = argmin_j |x_r - c_j|       move:  c_j = sum_{label_r = j} w_r x_r / sum w_r
//
// Each point keeps an upper bound u of the distance to its centre and a lower bound l to all others, which centres that move
// loosen; where u < max(l, half the distance from its centre to the next) strictly, its label stands and the point is not
// read. Bounds are rounded outwards, so labels are those of the plain algorithm. Sums change by the points that changed
// label, chunk by chunk in the order of the rows, into totals of twice the precision: they do not depend on threads, and
// little on the past.
// Empty clusters are put where the points farthest from their centres are, as in scikit-learn; equal points go together, so
// that a weight is a repetition.
// Cost: n k p in the first iteration, then n plus what the bounds let through; memory 12 n bytes. Deterministic.
// References: Lloyd (1982), Least squares quantization in PCM; Hamerly (2010), Making k-means even faster.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/cluster/points.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/runtime/progress.hpp"

namespace mlwright::cluster {

struct LloydSettings {
  index_t max_iter;
  double tol;  // of the sum of squared movements of the centres
};

struct LloydResult {
  std::vector<double> centers;  // k rows
  double inertia = 0.0;         // sum w |x - c|^2 of the labels and centres returned
  index_t n_iter = 0;
  bool strict = false;          // whether the last iteration changed no label
};

// labels has one place a row; w may be null (all ones), none negative.
LloydResult lloyd(const Points& points, const double* w, std::span<const double> start, const Frame& frame,
                  const LloydSettings& settings, std::span<std::int32_t> labels, runtime::Progress& progress,
                  runtime::CancelToken& token);

struct Assignment {
  double inertia = 0.0;
  std::vector<double> weight, sums;  // k; k rows of p numbers. Where asked for.
};

// Labels of all points for given centres, and what an update of them needs.
Assignment assign(const Points& points, const double* w, const Centers& centers, bool with_sums,
                  std::span<std::int32_t> labels, runtime::CancelToken& token);

// out: rows x k distances (not squared).
void distances(const Points& points, const Centers& centers, double* out, runtime::CancelToken& token);

}  // namespace mlwright::cluster
