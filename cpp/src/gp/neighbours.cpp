#include "mlwright/gp/neighbours.hpp"

#include <queue>

#include "gp/point_tree.hpp"
#include "mlwright/runtime/parallel.hpp"

namespace mlwright::gp {
namespace {

constexpr index_t kQueries = 256;  // a chunk

std::vector<double> centre_of(const double* x, index_t n, index_t d) {
  std::vector<double> centre(static_cast<std::size_t>(d), 0.0);
  for (index_t i = 0; i < n; ++i)
    for (index_t k = 0; k < d; ++k) centre[static_cast<std::size_t>(k)] += x[i * d + k] / static_cast<double>(n);
  return centre;
}

// `limit(i)`: below which number points count for query i.
template <class Limit>
void search_all(const PointTree& tree, const double* queries, index_t q, index_t d, index_t m, index_t* out,
                runtime::CancelToken& token, Limit&& limit) {
  runtime::parallel_for(q, kQueries, token, [&](index_t, index_t begin, index_t end) {
    std::vector<PointTree::Candidate> best;
    for (index_t i = begin; i < end; ++i) {
      tree.nearest(queries + i * d, m, limit(i), best);
      const auto found = static_cast<index_t>(best.size());
      for (index_t k = 0; k < m; ++k) out[i * m + k] = k < found ? best[static_cast<std::size_t>(k)].point : -1;
    }
  });
}

}  // namespace

void maximin_order(const double* x, index_t n, index_t d, index_t* order, runtime::CancelToken& token) {
  if (n == 0) return;
  const PointTree tree(x, n, d);
  constexpr double kTaken = -1.0;
  std::vector<double> nearest(static_cast<std::size_t>(n), std::numeric_limits<double>::infinity());
  // Distances as they were when a point was put here: they only fall, so one that is out of date is put back when met.
  struct Entry {
    double distance;
    index_t point;
    bool operator<(const Entry& o) const { return distance != o.distance ? distance < o.distance : point > o.point; }
  };
  std::priority_queue<Entry> farthest;
  std::vector<PointTree::Candidate> first;
  tree.nearest(centre_of(x, n, d).data(), 1, n, first);
  const auto take = [&](index_t place, index_t point, double reach) {
    order[place] = point;
    tree.within(x + point * d, reach, [&](index_t other, double distance) {
      double& known = nearest[static_cast<std::size_t>(other)];
      if (distance < known) known = distance;
    });
    nearest[static_cast<std::size_t>(point)] = kTaken;
  };
  take(0, first[0].point, std::numeric_limits<double>::infinity());
  for (index_t i = 0; i < n; ++i)
    if (nearest[static_cast<std::size_t>(i)] != kTaken) farthest.push({nearest[static_cast<std::size_t>(i)], i});
  for (index_t place = 1; place < n; ++place) {
    token.poll();
    while (true) {
      const Entry top = farthest.top();
      farthest.pop();
      const double now = nearest[static_cast<std::size_t>(top.point)];
      if (now == top.distance) {
        take(place, top.point, top.distance);
        break;
      }
      farthest.push({now, top.point});
    }
  }
}

void earlier_neighbours(const double* x, index_t n, index_t d, index_t m, index_t* out, runtime::CancelToken& token) {
  const PointTree tree(x, n, d);
  search_all(tree, x, n, d, m, out, token, [](index_t i) { return i; });
}

void nearest_neighbours(const double* x, index_t n, const double* queries, index_t q, index_t d, index_t m, index_t* out,
                        runtime::CancelToken& token) {
  const PointTree tree(x, n, d);
  search_all(tree, queries, q, d, m, out, token, [n](index_t) { return n; });
}

}  // namespace mlwright::gp
