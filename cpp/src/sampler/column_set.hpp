// A set of columns in the cheaper of two forms: by its own inverse matrix, or by that of the rows once it is larger than they are
// many. Both know the same weights, so which one is in use is no part of the chain.
#pragma once

#include "sampler/active_set.hpp"
#include "sampler/row_set.hpp"

namespace mlwright::sampler {

class ColumnSet {
 public:
  explicit ColumnSet(const Selection& selection) : has_rows_(selection.columns != nullptr), rows_(selection), active_(selection) {}

  bool in(std::size_t j) const noexcept { return list().in(j); }
  const std::vector<std::size_t>& members() const noexcept { return list().list(); }
  double rest() const noexcept { return by_rows_ ? rows_.rest() : active_.rest(); }
  double log_weight() const noexcept { return by_rows_ ? rows_.log_weight() : active_.log_weight(); }
  double flipped(std::size_t j) { return by_rows_ ? rows_.flipped(j) : active_.flipped(j); }
  double swapped(std::size_t i, std::size_t j) { return by_rows_ ? rows_.swapped(i, j) : active_.swapped(i, j); }

  void flip(std::size_t j) {
    by_rows_ ? rows_.flip(j) : active_.flip(j);
    if (++flips_ % kFlipsBeforeRefresh == 0 || is_in_the_dearer_form()) refresh();
  }

  void draw(runtime::Rng& rng, double variance, double* coef) {
    by_rows_ ? rows_.draw(rng, variance, coef) : active_.draw(rng, variance, coef);
  }

 private:
  static constexpr unsigned kFlipsBeforeRefresh = 256;

  const Members& list() const noexcept { return by_rows_ ? rows_.members() : active_.members(); }
  // Above the number of rows, and not again before half of it: changing costs as much as many flips.
  bool is_in_the_dearer_form() const noexcept {
    return has_rows_ && (by_rows_ ? 2 * members().size() < rows_.size() : members().size() > rows_.size());
  }
  void refresh() {
    const std::vector<std::size_t> wanted = members();
    if (is_in_the_dearer_form()) by_rows_ = !by_rows_;
    by_rows_ ? rows_.assign(wanted) : active_.assign(wanted);
  }

  bool has_rows_, by_rows_ = false;
  RowSet rows_;
  ActiveSet active_;
  unsigned flips_ = 0;
};

}  // namespace mlwright::sampler
