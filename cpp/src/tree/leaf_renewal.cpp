// Grower::renew_leaves: values of leaves from a rule over their rows, such as a quantile of residuals.
#include <algorithm>
#include <limits>

#include "mlwright/runtime/parallel.hpp"
#include "mlwright/tree/grower.hpp"

namespace mlwright::tree {

// Under a monotonic constraint the two sides of a cut are kept apart by the middle of their own best constants, as in the
// grower; so those of the sides are needed as well as those of the leaves.
void Grower::renew_leaves(std::vector<Node>& nodes, const BestOfRows& best, runtime::CancelToken& token) {
  struct Place {
    index_t begin = 0, end = 0, out_begin = 0, out_end = 0;
    bool wanted = false;
    double best = 0;
    Bounds bounds = {};
  };
  std::vector<Place> places(nodes.size());
  for (const Leaf& leaf : leaves_) {
    Place& place = places[static_cast<std::size_t>(leaf.node)];
    place = {leaf.begin, leaf.end, leaf.out_begin, leaf.out_end, true};
  }
  const auto rows_from = [&](index_t begin, index_t end) {
    return std::span<const std::uint32_t>(rows_).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  };
  const auto is_monotonic = [&](const Node& node) {
    return !rules_.monotonic.empty() && rules_.monotonic[static_cast<std::size_t>(node.feature)] != 0;
  };
  for (std::size_t i = nodes.size(); i-- > 0;) {
    if (nodes[i].feature < 0) continue;
    Place &left = places[static_cast<std::size_t>(nodes[i].left)], &right = places[static_cast<std::size_t>(nodes[i].right)];
    places[i].begin = left.begin, places[i].end = right.end;
    places[i].out_begin = left.out_begin, places[i].out_end = right.out_end;
    if (is_monotonic(nodes[i])) left.wanted = right.wanted = true;
  }
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i].wanted && places[i].begin < places[i].end) wanted.push_back(i);
  runtime::parallel_for(static_cast<index_t>(wanted.size()), 1, token, [&](index_t, index_t begin, index_t) {
    Place& place = places[wanted[static_cast<std::size_t>(begin)]];
    place.best = best(rows_from(place.begin, place.end), rows_from(place.out_begin, place.out_end));
  });
  const auto bounded = [](const Place& p, const Bounds& b) { return b.clip(p.best); };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Node& node = nodes[i];
    if (node.feature < 0) {
      nodes_[i].value = node.value = rules_.learning_rate * bounded(places[i], places[i].bounds);
      continue;
    }
    Place &left = places[static_cast<std::size_t>(node.left)], &right = places[static_cast<std::size_t>(node.right)];
    left.bounds = right.bounds = places[i].bounds;
    if (!is_monotonic(node)) continue;
    const double middle = (bounded(left, left.bounds) + bounded(right, right.bounds)) / 2;
    const bool rising = rules_.monotonic[static_cast<std::size_t>(node.feature)] > 0;
    (rising ? left : right).bounds.high = middle;
    (rising ? right : left).bounds.low = middle;
  }
}

}  // namespace mlwright::tree
