#include <pybind11/pybind11.h>

#include <algorithm>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/tree/target_codes.hpp"

namespace mlwright::bindings {

namespace {

// One more than the largest fold; every level below n_levels and every fold small: both index memory.
int check_cells(const Vector<std::int32_t>& levels, const Vector<std::int64_t>& n_levels, const Vector<std::uint8_t>& fold) {
  const index_t n = fold.size();
  if (levels.ndim() != 2 || levels.shape(0) != n_levels.size() || levels.shape(1) != n)
    throw py::value_error("target_codes: levels, n_levels and fold differ in shape");
  for (index_t q = 0; q < n_levels.size(); ++q)
    for (const std::int32_t level : span(levels).subspan(static_cast<std::size_t>(q * n), static_cast<std::size_t>(n)))
      if (level < -1 || level >= n_levels.at(q)) throw py::value_error("target_codes: a level out of range");
  int n_folds = 1;
  for (const std::uint8_t f : span(fold)) n_folds = std::max(n_folds, f + 1);
  return n_folds;
}

// levels of shape (features, n); g and h of shape (outputs, n). A list of (codes of rows, codes of levels).
py::list target_codes(const Vector<std::int32_t>& levels, const Vector<std::int64_t>& n_levels, const Vector<double>& g,
                      const Vector<double>& h, const Vector<std::uint8_t>& fold) {
  const int n_folds = check_cells(levels, n_levels, fold);
  const auto n = static_cast<std::size_t>(fold.size());
  if (g.ndim() != 2 || h.ndim() != 2 || g.shape(0) != h.shape(0) || g.shape(1) != fold.size() || h.shape(1) != fold.size())
    throw py::value_error("target_codes: g, h and fold differ in shape");
  std::vector<std::span<const std::int32_t>> of_feature;
  for (index_t q = 0; q < n_levels.size(); ++q) of_feature.push_back(span(levels).subspan(static_cast<std::size_t>(q) * n, n));
  std::vector<tree::FirstStep> outputs;
  for (index_t k = 0; k < g.shape(0); ++k)
    outputs.push_back({span(g).subspan(static_cast<std::size_t>(k) * n, n), span(h).subspan(static_cast<std::size_t>(k) * n, n)});
  const auto codes = without_gil(
      [&](auto& token) { return tree::target_codes(of_feature, span(n_levels), outputs, span(fold), n_folds, token); });
  py::list columns;
  for (const tree::TargetCodes& column : codes)
    columns.append(py::make_tuple(Vector<std::uint8_t>(static_cast<py::ssize_t>(column.rows.size()), column.rows.data()),
                                  Vector<std::uint8_t>(static_cast<py::ssize_t>(column.levels.size()), column.levels.data())));
  return columns;
}

}  // namespace

void register_categories(py::module_& m) {
  py::module_ tree = m.attr("tree").cast<py::module_>();
  tree.def("target_codes", &target_codes, py::arg("levels").noconvert(), py::arg("n_levels").noconvert(),
           py::arg("g").noconvert(), py::arg("h").noconvert(), py::arg("fold").noconvert());
}

}  // namespace mlwright::bindings
