// The frame in which fold statistics are summed: a shift and a scale for every column, from a few of the rows.
#pragma once

#include <vector>

#include "mlwright/linalg/fold_statistics.hpp"
#include "mlwright/linalg/gram.hpp"

namespace mlwright::linalg {

struct Frame {  // the column of ones included
  std::vector<double> shift, scale;
  Affine affine() const { return {shift.data(), scale.data(), nullptr}; }
};

double power_of_two_near_reciprocal(double magnitude);

// Shift and scale from evenly spaced rows. Means are taken about the first row, so constant columns get their value.
Frame frame_of_sample(const Augmented& raw);

// The Gram of q columns and the ones about the frame's shift, `width` wide, becomes weight, mean and scatter about the mean.
FoldStatistics centred(const std::vector<double>& gram, index_t width, index_t q, const Frame& frame);

}  // namespace mlwright::linalg
