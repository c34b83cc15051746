// Orders of points, and the nearest of those that go before: what a Vecchia approximation conditions on.
//
// A tree of boxes (k-d tree) over all points; each knows the earliest point in it, so that a search among earlier points
// leaves out boxes of later ones. Ties are by the earlier point: results do not depend on threads or on the tree.
// Cost: some n log n for few columns; a search looks at ever more boxes as columns become many (all of them beyond some 15).
// Reference: Guinness (2018), Permutation and grouping methods for sharpening Gaussian process approximations. Technometrics 60.
#pragma once

#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"

namespace mlwright::gp {

// Points x are n x d, row-major and finite.

// The point nearest to the centre, then always the one farthest from all before it (maximin). order has n places.
void maximin_order(const double* x, index_t n, index_t d, index_t* order, runtime::CancelToken& token);

// Of each point i the m nearest among points 0 .. i - 1, by rising distance; -1 where there are fewer. out is n x m.
void earlier_neighbours(const double* x, index_t n, index_t d, index_t m, index_t* out, runtime::CancelToken& token);

// Of each of q queries the min(m, n) nearest points. out is q x m, -1 where there are fewer.
void nearest_neighbours(const double* x, index_t n, const double* queries, index_t q, index_t d, index_t m, index_t* out,
                        runtime::CancelToken& token);

}  // namespace mlwright::gp
