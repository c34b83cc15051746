// First centres: k-means++ and random rows, drawn by what rows hold and not by where they stand.
//
// Rows are put in the order of a 64-bit key of their content, in which equal rows are neighbours; a uniform number then falls
// on the same content whether a row of weight 3 is given once or three times, and in whatever order. The sums that it is
// compared with go over 1024 ranges of keys first, so that no draw reads more than one range.
// k-means++ draws each next centre with probability proportional to w d^2, several times, and keeps the draw that leaves the
// least sum. Cost: k trials passes over the points. Deterministic: the same for any number of threads.
// Reference: Arthur and Vassilvitskii (2007), k-means++: the advantages of careful seeding.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/cluster/points.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::cluster {

// Row numbers of k first centres; w may be null (all ones). Where fewer than k different rows have weight, some come twice.
std::vector<index_t> plus_plus(const Points& points, const double* w, std::span<const std::uint64_t> keys, index_t k,
                               index_t trials, std::uint64_t seed, runtime::CancelToken& token);

// Rows drawn with probability proportional to w; one whose content was drawn is not drawn again while others are left.
std::vector<index_t> random_rows(const double* w, std::span<const std::uint64_t> keys, index_t k, std::uint64_t seed,
                                 runtime::CancelToken& token);

}  // namespace mlwright::cluster
