#include "mlwright/sampler/order_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"

namespace mlwright::sampler {
namespace {

constexpr index_t kRowsAChunk = 32;
constexpr index_t kSample = 128;
constexpr double kReach = 3;  // deviations of a sample's rank, to either side

struct Pair {
  double value, next;
};

// The value at `place` of n unsorted ones, and the one after it.
Pair select(double* values, index_t n, index_t place) {
  std::nth_element(values, values + place, values + n);
  return {values[place], place + 1 < n ? *std::min_element(values + place + 1, values + n) : values[place]};
}

class Row {
 public:
  explicit Row(index_t draws) : draws_(draws), kept_(static_cast<std::size_t>(draws)) {
    if (draws_ > 4 * kSample) sample_.resize(kSample);
  }

  // False where there is a NaN.
  bool read(const double* values) {
    values_ = values;
    bool is_ordered = true;
    for (index_t i = 0; i < draws_; ++i) is_ordered &= values[i] == values[i];
    for (std::size_t i = 0; i < sample_.size(); ++i) sample_[i] = values[static_cast<index_t>(i) * draws_ / kSample];
    std::sort(sample_.begin(), sample_.end());
    return is_ordered;
  }

  Pair at(index_t place) {
    if (!sample_.empty()) {
      const double share = (static_cast<double>(place) + 0.5) / static_cast<double>(draws_);
      const double rank = share * kSample, reach = kReach * std::sqrt(rank * (1 - share)) + 2;
      const auto first = static_cast<index_t>(std::floor(rank - reach)), last = static_cast<index_t>(std::ceil(rank + reach));
      const double infinity = std::numeric_limits<double>::infinity();
      const double low = first < 0 ? -infinity : sample_[static_cast<std::size_t>(first)];
      const double high = last >= kSample ? infinity : sample_[static_cast<std::size_t>(last)];
      index_t below = 0, kept = 0;
      double* const to = kept_.data();
      for (index_t i = 0; i < draws_; ++i) {  // without branches: which way one goes is chance
        const double value = values_[i];
        const auto is_below = static_cast<index_t>(value < low), is_above = static_cast<index_t>(value > high);
        to[kept] = value;
        below += is_below;
        kept += 1 - (is_below | is_above);
      }
      const index_t here = place - below;
      if (here >= 0 && here < kept && (here + 1 < kept || place + 1 == draws_)) return select(kept_.data(), kept, here);
    }
    std::copy_n(values_, draws_, kept_.begin());
    return select(kept_.data(), draws_, place);
  }

 private:
  index_t draws_;
  const double* values_ = nullptr;
  std::vector<double> kept_, sample_;
};

}  // namespace

void order_statistics(const double* values, index_t rows, index_t draws, std::span<const index_t> places, double* out,
                      runtime::CancelToken& token) {
  const auto n_places = static_cast<index_t>(places.size());
  runtime::PerWorker<Row> workers([&] { return Row(draws); });
  runtime::parallel_for(rows, kRowsAChunk, token, [&](index_t, index_t begin, index_t end) {
    Row& row = workers.local();
    for (index_t i = begin; i < end; ++i) {
      const bool is_ordered = row.read(values + i * draws);
      for (index_t k = 0; k < n_places; ++k) {
        const double nan = std::numeric_limits<double>::quiet_NaN();
        const Pair found = is_ordered ? row.at(places[static_cast<std::size_t>(k)]) : Pair{nan, nan};
        out[2 * (i * n_places + k)] = found.value, out[2 * (i * n_places + k) + 1] = found.next;
      }
    }
  });
}

}  // namespace mlwright::sampler
