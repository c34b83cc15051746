#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/sampler/spike_slab.hpp"
#include "watcher.hpp"

namespace mlwright::bindings {
namespace {

using runtime::CancelToken;
using Numbers = Vector<double>;

sampler::Selection selection(const Numbers& matrix, const Numbers& log_prior, double log_slab, double shape, double rate) {
  const auto n = log_prior.size();
  if (n < 1 || matrix.size() != n * n) throw py::value_error("selection: expected a matrix of (p + 1)^2 numbers for p + 1 sizes");
  return {.matrix = span<double>(matrix), .log_prior = span<double>(log_prior), .log_slab = log_slab, .shape = shape, .rate = rate};
}

void enumerate_sets(const Numbers& matrix, const Numbers& log_prior, double log_slab, double shape, double rate,
                    Numbers& log_weight, Numbers& coef) {
  const auto problem = selection(matrix, log_prior, log_slab, shape, rate);
  if (problem.p() <= sampler::kMostEnumerated && (log_weight.size() != index_t{1} << problem.p() || coef.size() != problem.p()))
    throw py::value_error("selection: expected room for 2^p weights and p coefficients");
  const auto weights = mutable_span<double>(log_weight);
  const auto means = mutable_span<double>(coef);
  without_gil([&](CancelToken& token) { sampler::enumerate_sets(problem, weights, means, token); });
}

void sample_sets(const Numbers& matrix, const Numbers& log_prior, double log_slab, double shape, double rate,
                 const std::optional<Numbers>& columns, const std::optional<Numbers>& y, std::uint64_t seed, index_t warm_up,
                 Numbers& coef, Numbers& variance, py::object watcher, double interval) {
  auto problem = selection(matrix, log_prior, log_slab, shape, rate);
  if (columns && y) {
    require_size(*columns, problem.p() * y->size(), "columns");
    problem.columns = columns->data(), problem.y = span<double>(*y);
  }
  if (coef.ndim() != 3 || coef.shape(2) != problem.p() || coef.shape(0) * coef.shape(1) != variance.size() || warm_up < 0)
    throw py::value_error("selection: expected room for chains x draws x p coefficients and chains x draws variances");
  const sampler::SelectionSettings how{seed, coef.shape(0), warm_up, coef.shape(1)};
  double* const out_coef = coef.mutable_data();
  double* const out_variance = variance.mutable_data();
  Watcher watched(std::move(watcher), interval);
  without_gil([&](CancelToken& token) {
    sampler::sample_sets(problem, how, out_coef, out_variance, token, watched.progress());
  });
}

}  // namespace

void register_selection(py::module_& m) {
  py::module_ s = m.def_submodule("selection");
  s.def("enumerate_sets", &enumerate_sets, py::arg("matrix").noconvert(), py::arg("log_prior").noconvert(), py::arg("log_slab"),
        py::arg("shape"), py::arg("rate"), py::arg("log_weight").noconvert(), py::arg("coef").noconvert());
  s.def("sample_sets", &sample_sets, py::arg("matrix").noconvert(), py::arg("log_prior").noconvert(), py::arg("log_slab"),
        py::arg("shape"), py::arg("rate"), py::arg("columns"), py::arg("y"), py::arg("seed"), py::arg("warm_up"),
        py::arg("coef").noconvert(), py::arg("variance").noconvert(), py::arg("watcher"), py::arg("interval"));
}

}  // namespace mlwright::bindings
