// The tree of boxes of mlwright/gp/neighbours.hpp.
#pragma once

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "mlwright/base/view.hpp"

namespace mlwright::gp {

class PointTree {
 public:
  PointTree(const double* x, index_t n, index_t d) : x_(x), d_(d), points_(static_cast<std::size_t>(n)) {
    std::iota(points_.begin(), points_.end(), index_t{0});
    if (n > 0) build(0, n);
  }

  struct Candidate {
    double distance;
    index_t point;
    bool operator<(const Candidate& o) const { return distance != o.distance ? distance < o.distance : point < o.point; }
  };
  // best: the m nearest points to a query, of those below `limit`, or as many as there are, by rising distance.
  void nearest(const double* query, index_t m, index_t limit, std::vector<Candidate>& best) const {
    best.clear();
    if (!nodes_.empty()) search(0, query, m, limit, best);
    std::sort_heap(best.begin(), best.end());
  }

  // visit(point, squared distance) of all points in boxes that come nearer than the square root of `square`.
  template <class Visit>
  void within(const double* query, double square, Visit&& visit) const {
    if (!nodes_.empty()) walk(0, query, square, visit);
  }

 private:
  static constexpr index_t kLeaf = 16;
  struct Node {
    index_t begin, end, left, right, earliest;
  };

  double distance(const double* query, index_t point) const {
    double sum = 0.0;
    for (index_t k = 0; k < d_; ++k) {
      const double z = query[k] - x_[point * d_ + k];
      sum += z * z;
    }
    return sum;
  }

  // Squared distance to the node's box.
  double distance_to(index_t node, const double* query) const {
    const double* low = boxes_.data() + 2 * node * d_;
    double sum = 0.0;
    for (index_t k = 0; k < d_; ++k) {
      const double z = std::max({low[k] - query[k], query[k] - low[d_ + k], 0.0});
      sum += z * z;
    }
    return sum;
  }

  index_t build(index_t begin, index_t end) {
    const auto mine = static_cast<index_t>(nodes_.size());
    nodes_.push_back({begin, end, -1, -1, *std::min_element(points_.begin() + begin, points_.begin() + end)});
    const index_t widest = add_box(begin, end);
    if (end - begin <= kLeaf) return mine;
    const index_t middle = begin + (end - begin) / 2;
    const auto before = [&](index_t a, index_t b) {
      const double u = x_[a * d_ + widest], v = x_[b * d_ + widest];
      return u != v ? u < v : a < b;
    };
    std::nth_element(points_.begin() + begin, points_.begin() + middle, points_.begin() + end, before);
    const index_t left = build(begin, middle), right = build(middle, end);
    nodes_[static_cast<std::size_t>(mine)].left = left;
    nodes_[static_cast<std::size_t>(mine)].right = right;
    return mine;
  }

  // Appends the box of the points and returns its widest column.
  index_t add_box(index_t begin, index_t end) {
    const std::size_t at = boxes_.size();
    boxes_.resize(at + static_cast<std::size_t>(2 * d_));
    double* const low = boxes_.data() + at;
    index_t widest = 0;
    for (index_t k = 0; k < d_; ++k) {
      double least = std::numeric_limits<double>::infinity(), most = -least;
      for (index_t i = begin; i < end; ++i) {
        const double v = x_[points_[static_cast<std::size_t>(i)] * d_ + k];
        least = std::min(least, v);
        most = std::max(most, v);
      }
      low[k] = least;
      low[d_ + k] = most;
      if (most - least > low[d_ + widest] - low[widest]) widest = k;
    }
    return widest;
  }

  void search(index_t node, const double* query, index_t m, index_t limit, std::vector<Candidate>& best) const {
    const Node& here = nodes_[static_cast<std::size_t>(node)];
    if (here.left >= 0) {
      double near = distance_to(here.left, query), far = distance_to(here.right, query);
      index_t first = here.left, second = here.right;
      if (far < near) {
        std::swap(near, far);
        std::swap(first, second);
      }
      if (wanted(first, near, m, limit, best)) search(first, query, m, limit, best);
      if (wanted(second, far, m, limit, best)) search(second, query, m, limit, best);
      return;
    }
    for (index_t i = here.begin; i < here.end; ++i) {
      const index_t point = points_[static_cast<std::size_t>(i)];
      if (point < limit) offer({distance(query, point), point}, m, best);
    }
  }

  bool wanted(index_t node, double distance, index_t m, index_t limit, const std::vector<Candidate>& best) const {
    if (nodes_[static_cast<std::size_t>(node)].earliest >= limit) return false;
    return static_cast<index_t>(best.size()) < m || distance <= best.front().distance;
  }

  static void offer(const Candidate& candidate, index_t m, std::vector<Candidate>& best) {
    if (static_cast<index_t>(best.size()) == m) {
      if (!(candidate < best.front())) return;
      std::pop_heap(best.begin(), best.end());
      best.back() = candidate;
    } else {
      best.push_back(candidate);
    }
    std::push_heap(best.begin(), best.end());
  }

  template <class Visit>
  void walk(index_t node, const double* query, double square, Visit& visit) const {
    const Node& here = nodes_[static_cast<std::size_t>(node)];
    if (!(distance_to(node, query) < square)) return;
    if (here.left >= 0) {
      walk(here.left, query, square, visit);
      walk(here.right, query, square, visit);
      return;
    }
    for (index_t i = here.begin; i < here.end; ++i) {
      const index_t point = points_[static_cast<std::size_t>(i)];
      visit(point, distance(query, point));
    }
  }

  const double* x_;
  index_t d_;
  std::vector<index_t> points_;
  std::vector<Node> nodes_;
  std::vector<double> boxes_;  // of each node: low ends, then high ends
};

}  // namespace mlwright::gp
