#include "cluster/relocation.hpp"

#include <algorithm>
#include <numeric>

namespace mlwright::cluster {
namespace {

// The point at order[next] and all that equal it: they lie at the same distance, next to it in the order but for others just
// as far, which stay. `next` goes past them.
std::vector<index_t> next_equal_points(const Points& points, const std::vector<double>& distance, std::vector<index_t>& order,
                                       std::size_t& next) {
  const index_t far = order[next];
  std::vector<index_t> equal, others;
  std::size_t at = next;
  for (; at < order.size() && distance[static_cast<std::size_t>(order[at])] == distance[static_cast<std::size_t>(far)]; ++at)
    (points.equal(order[at], far) ? equal : others).push_back(order[at]);
  next = at - others.size();
  std::copy(others.begin(), others.end(), order.begin() + static_cast<std::ptrdiff_t>(next));
  return equal;
}

}  // namespace

void average(index_t p, const std::vector<double>& weight, std::vector<double>& sums) {
  const auto heaviest = std::max_element(weight.begin(), weight.end()) - weight.begin();
  for (std::size_t j = 0; j < weight.size(); ++j)
    if (weight[j] > 0.0)
      for (index_t i = 0; i < p; ++i) sums[j * static_cast<std::size_t>(p) + static_cast<std::size_t>(i)] /= weight[j];
  for (std::size_t j = 0; j < weight.size(); ++j)
    if (!(weight[j] > 0.0)) std::copy_n(sums.begin() + heaviest * p, p, sums.begin() + static_cast<std::ptrdiff_t>(j) * p);
}

bool relocate_and_average(const Points& points, const double* w, std::span<const std::int32_t> labels,
                          const std::vector<double>& distance, std::vector<std::int64_t>& rows, std::vector<double>& weight,
                          std::vector<double>& sums) {
  const index_t p = points.cols(), n = points.rows();
  const auto weighs = [&](index_t r) { return w == nullptr ? 1.0 : w[r]; };
  std::vector<index_t> order;
  for (index_t r = 0; r < n; ++r)
    if (weighs(r) > 0.0 && distance[static_cast<std::size_t>(r)] > 0.0) order.push_back(r);
  std::sort(order.begin(), order.end(), [&](index_t a, index_t b) {
    const double far = distance[static_cast<std::size_t>(a)], near = distance[static_cast<std::size_t>(b)];
    return far != near ? far > near : a < b;
  });
  bool any = false;
  std::size_t next = 0;
  for (std::size_t j = 0; j < rows.size(); ++j) {
    while (rows[j] == 0 && next < order.size()) {
      const auto equal = next_equal_points(points, distance, order, next);
      const auto old = static_cast<std::size_t>(labels[static_cast<std::size_t>(equal.front())]);
      const auto count = static_cast<std::int64_t>(equal.size());
      if (rows[old] == count) continue;  // the whole of a cluster, a rounding away from its centre: another would be empty
      for (const index_t r : equal) {
        weight[j] += weighs(r);
        weight[old] -= weighs(r);
        points.add(r, weighs(r), sums.data() + static_cast<index_t>(j) * p);
        points.add(r, -weighs(r), sums.data() + static_cast<index_t>(old) * p);
      }
      rows[j] = count;
      rows[old] -= count;
      any = true;
    }
  }
  average(p, weight, sums);
  return any;
}

}  // namespace mlwright::cluster
