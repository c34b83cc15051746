// The distribution function of a row's mixture of laws of counts, near one count: sums over the nodes of panels.
#pragma once

#include <span>
#include <vector>

#include "count_components.hpp"

namespace mlwright::sampler {

// Shares of a mixture's components above k, and above k - 1, unscaled: sums over components.
struct CountShares {
  double above = 0, above_before = 0;
};

// Of one group's components at one row.
class CountPanels {
 public:
  explicit CountPanels(const CountGroup& group);

  // The row's means, in the order of the group; padded with any number.
  void read(const double* means);
  // What may be asked next is near `low`, and from there to `high` if that is not far.
  void prepare(double low, double high);
  bool covers(double k) const noexcept;
  void add(double k, CountShares& shares) const;

 private:
  double widest_panel() const noexcept;
  void add_panel(double begin, double end);

  const CountGroup* group_;
  std::vector<double> places_, moments_;
  double low_ = 0, high_ = 0;  // places of the components
  double from_ = 0, to_ = 0;   // of what is covered
  std::vector<double> means_;                     // of the nodes
  std::vector<std::vector<double>> at_, before_;  // their weights, by column
};

}  // namespace mlwright::sampler
