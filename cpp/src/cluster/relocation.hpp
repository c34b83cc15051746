// Where empty clusters go: to the points farthest from their centres.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/cluster/points.hpp"

namespace mlwright::cluster {

// Means of clusters from `sums` (k rows of p) and `weight`, after each empty one (rows 0) was given the farthest point not yet
// taken, which its old cluster loses; equal points go together, unless they are all that their cluster has. distance: squared,
// to the old centre of each row's label. Clusters that end up without weight go where the heaviest is. `sums` is left as the
// means. Whether any point moved.
bool relocate_and_average(const Points& points, const double* w, std::span<const std::int32_t> labels,
                          const std::vector<double>& distance, std::vector<std::int64_t>& rows, std::vector<double>& weight,
                          std::vector<double>& sums);

// Without empty clusters, or with nothing known of distances.
void average(index_t p, const std::vector<double>& weight, std::vector<double>& sums);

}  // namespace mlwright::cluster
