// Sums of drawn trees for rows of codes: every draw of every row.
//
// Rows are taken by tiles of one byte a column and row, which trees sort into slots by vectors of bytes; no pointer is
// chased. Sums are exact: integers below 2^53 in doubles. Out is (draws x rows), offset + scale * sum.
// check() makes arrays that a stranger wrote safe for predict(); linear in their size.
#pragma once

#include <span>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/sampler/bart/draws.hpp"
#include "mlwright/sampler/bart/space.hpp"

namespace mlwright::sampler::bart {

// As of Draws, of all chains.
struct DrawsView {
  std::span<const std::int32_t> variable, value;
  std::span<const std::uint16_t> right;
  std::span<const std::uint8_t> kind, bound;
  std::span<const std::uint64_t> sets;
  std::span<const index_t> ends;
};

// Throws ModelFormatError unless these are whole draws of n_trees trees over the columns.
void check(const DrawsView& draws, std::span<const Column> columns, index_t n_trees);

struct Scale {
  double offset = 0, scale = 1;
};

// codes: n x p, any bytes. out: draws x n, where draws = ends.size() / n_trees.
void predict(const DrawsView& draws, index_t n_trees, MatrixView<const std::uint8_t> codes, Scale scale, double* out,
             runtime::CancelToken& token);

}  // namespace mlwright::sampler::bart
