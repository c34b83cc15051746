#include <pybind11/pybind11.h>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/sampler/count_mixture.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;
using Numbers = Vector<double>;

void quantiles(const Numbers& means, const Numbers& dispersions, const Numbers& levels, Numbers& out) {
  if (means.ndim() != 2 || means.shape(1) < 1) throw py::value_error("means: expected rows of one number a component");
  if (dispersions.size() != 0) require_size(dispersions, means.shape(1), "dispersions");
  require_size(out, means.shape(0) * levels.size(), "out");
  if (means.shape(0) == 0) return;
  double* const to = out.mutable_data();
  without_gil([&](runtime::CancelToken& token) {
    sampler::count_mixture_quantiles(means.data(), means.shape(0), means.shape(1), span<double>(dispersions), span<double>(levels), to, token);
  });
}

}  // namespace

void register_count_mixture(py::module_& m) {
  py::module_ n = m.def_submodule("count_mixture");
  n.def("quantiles", &quantiles, py::arg("means").noconvert(), py::arg("dispersions").noconvert(), py::arg("levels").noconvert(),
        py::arg("out").noconvert());
}

}  // namespace mlwright::bindings
