#include <pybind11/pybind11.h>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/sampler/count_mixture.hpp"
#include "mlwright/sampler/normal_mixture.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;
using Numbers = Vector<double>;

// fill(means, rows, components, levels, out, token) on arrays whose sizes agree.
template <class Fill>
void quantiles(const Numbers& means, const Numbers& levels, Numbers& out, Fill&& fill) {
  require_size(out, means.shape(0) * levels.size(), "out");
  if (means.shape(0) == 0) return;
  double* const to = out.mutable_data();
  without_gil([&](runtime::CancelToken& token) {
    fill(means.data(), means.shape(0), means.shape(1), span<double>(levels), to, token);
  });
}

void require_components(const Numbers& means) {
  if (means.ndim() != 2 || means.shape(1) < 1) throw py::value_error("means: expected rows of one number a component");
}

void normal_quantiles(const Numbers& means, const Numbers& sds, const Numbers& levels, Numbers& out) {
  require_components(means);
  require_size(sds, sds.ndim() == 2 ? means.size() : means.shape(1), "sds");
  quantiles(means, levels, out, [&](const double* mean, index_t rows, index_t components, auto at, double* to, auto& token) {
    sampler::normal_mixture_quantiles(mean, rows, components, span<double>(sds), at, to, token);
  });
}

void count_quantiles(const Numbers& means, const Numbers& dispersions, const Numbers& levels, Numbers& out) {
  require_components(means);
  if (dispersions.size() != 0) require_size(dispersions, means.shape(1), "dispersions");
  quantiles(means, levels, out, [&](const double* mean, index_t rows, index_t components, auto at, double* to, auto& token) {
    sampler::count_mixture_quantiles(mean, rows, components, span<double>(dispersions), at, to, token);
  });
}

}  // namespace

void register_mixture_quantiles(py::module_& m) {
  const auto levels = py::arg("levels").noconvert(), out = py::arg("out").noconvert();
  m.def_submodule("normal_mixture").def("quantiles", &normal_quantiles, py::arg("means").noconvert(), py::arg("sds").noconvert(), levels, out);
  m.def_submodule("count_mixture").def("quantiles", &count_quantiles, py::arg("means").noconvert(), py::arg("dispersions").noconvert(), levels, out);
}

}  // namespace mlwright::bindings
