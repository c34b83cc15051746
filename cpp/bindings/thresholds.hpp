// Thresholds of bins as the two arrays that Python holds.
#pragma once

#include <string>

#include "arrays.hpp"
#include "mlwright/tree/binning.hpp"

namespace mlwright::bindings {

inline tree::Thresholds thresholds_from(const Vector<double>& values, const Vector<std::int64_t>& offsets) {
  tree::Thresholds thresholds{{values.data(), values.data() + values.size()}, {offsets.data(), offsets.data() + offsets.size()}};
  bool good = !thresholds.offsets.empty() && thresholds.offsets.front() == 0 &&
              thresholds.offsets.back() == static_cast<index_t>(thresholds.values.size());
  for (std::size_t j = 0; good && j + 1 < thresholds.offsets.size(); ++j) {
    const index_t size = thresholds.offsets[j + 1] - thresholds.offsets[j];
    good = size >= 0 && size < tree::kMaxBins;
  }
  if (!good) throw py::value_error("thresholds: their offsets do not fit them");
  return thresholds;
}

inline py::tuple to_tuple(const tree::Thresholds& thresholds) {
  return py::make_tuple(Vector<double>(static_cast<py::ssize_t>(thresholds.values.size()), thresholds.values.data()),
                        Vector<std::int64_t>(static_cast<py::ssize_t>(thresholds.offsets.size()), thresholds.offsets.data()));
}

}  // namespace mlwright::bindings
