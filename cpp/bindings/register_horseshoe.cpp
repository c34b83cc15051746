#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/sampler/horseshoe.hpp"
#include "watcher.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;
using runtime::CancelToken;
using Numbers = Vector<double>;

void draw_shrunk(std::uint64_t seed, std::uint64_t stream, const Numbers& q, const Numbers& e, Numbers& out) {
  require_size(e, q.size(), "e");
  require_size(out, q.size(), "out");
  const auto to = mutable_span<double>(out);
  without_gil([&](CancelToken& token) { sampler::fill_shrunk(seed, stream, span<double>(q), span<double>(e), to, token); });
}

void sample(const Numbers& columns, const std::optional<Numbers>& gram, const Numbers& cross, const Numbers& y, double square,
            double shape, double rate, double global_scale, double slab_precision, std::uint64_t seed, index_t warm_up, Numbers& coef,
            Numbers& variance, Numbers& scale, py::object watcher, double interval) {
  const index_t n = y.size(), p = cross.size();
  require_size(columns, n * p, "columns");
  if (gram) require_size(*gram, p * p, "gram");
  if (coef.ndim() != 3 || coef.shape(2) != p || warm_up < 0) throw py::value_error("coef: expected room for chains x draws x p");
  for (const Numbers* a : {&variance, &scale}) require_size(*a, coef.shape(0) * coef.shape(1), "variance and scale");
  const sampler::Horseshoe problem{n,      p,     columns.data(), gram ? gram->data() : nullptr, span<double>(cross), span<double>(y),
                                   square, shape, rate,           global_scale,                  slab_precision};
  const sampler::HorseshoeSettings how{seed, coef.shape(0), warm_up, coef.shape(1)};
  double *const to_coef = coef.mutable_data(), *const to_variance = variance.mutable_data(), *const to_scale = scale.mutable_data();
  Watcher watched(std::move(watcher), interval);
  without_gil([&](CancelToken& token) {
    sampler::sample_horseshoe(problem, how, to_coef, to_variance, to_scale, token, watched.progress());
  });
}

}  // namespace

void register_horseshoe(py::module_& m) {
  py::module_ h = m.def_submodule("horseshoe");
  h.def("draw_shrunk", &draw_shrunk, py::arg("seed"), py::arg("stream"), py::arg("q").noconvert(), py::arg("e").noconvert(),
        py::arg("out").noconvert());
  h.def("sample", &sample, py::arg("columns").noconvert(), py::arg("gram"), py::arg("cross").noconvert(), py::arg("y").noconvert(),
        py::arg("square"), py::arg("shape"), py::arg("rate"), py::arg("global_scale"), py::arg("slab_precision"), py::arg("seed"),
        py::arg("warm_up"), py::arg("coef").noconvert(), py::arg("variance").noconvert(), py::arg("scale").noconvert(),
        py::arg("watcher"), py::arg("interval"));
}

}  // namespace mlwright::bindings
