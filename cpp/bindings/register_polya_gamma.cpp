#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "arrays.hpp"
#include "call.hpp"
#include "designs.hpp"
#include "mlwright/sampler/polya_gamma.hpp"
#include "watcher.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;
using runtime::CancelToken;
using Numbers = Vector<double>;
using MaybeNumbers = std::optional<Numbers>;

void draw(std::uint64_t seed, std::uint64_t stream, const Numbers& z, Numbers& out) {
  require_size(out, z.size(), "out");
  const auto to = mutable_span<double>(out);
  without_gil([&](CancelToken& token) { sampler::fill_polya_gamma(seed, stream, span<double>(z), to, token); });
}

const double* one_a_row(const MaybeNumbers& a, index_t n, const char* name) {
  if (a) require_size(*a, n, name);
  return a ? a->data() : nullptr;
}

void sample(const py::object& x, const Numbers& shift, const Numbers& scale, const Numbers& y, const MaybeNumbers& w,
            const MaybeNumbers& offset, bool fit_intercept, const Numbers& precision, const Numbers& starts, std::uint64_t seed,
            index_t warm_up, Numbers& out, py::object watcher, double interval) {
  const auto design = design_of(x);
  const index_t n = design->rows(), p = design->cols(), d = p + (fit_intercept ? 1 : 0);
  require_size(y, n, "y");
  for (const Numbers* a : {&shift, &scale, &precision}) require_size(*a, p, "shift, scale and precision");
  if (out.ndim() != 3 || out.shape(2) != d || warm_up < 0 || d < 1)
    throw py::value_error("out: expected room for chains x draws x parameters");
  require_size(starts, out.shape(0) * d, "starts");
  const sampler::LogisticRows rows{*design, span<double>(shift), span<double>(scale), span<double>(y),
                                   one_a_row(w, n, "w"), one_a_row(offset, n, "offset"), fit_intercept};
  const sampler::GibbsSettings how{seed, out.shape(0), warm_up, out.shape(1)};
  double* const to = out.mutable_data();
  Watcher watched(std::move(watcher), interval);
  without_gil([&](CancelToken& token) {
    sampler::sample_logistic(rows, span<double>(precision), span<double>(starts), how, to, token, watched.progress());
  });
}

}  // namespace

void register_polya_gamma(py::module_& m) {
  py::module_ g = m.def_submodule("polya_gamma");
  g.def("draw", &draw, py::arg("seed"), py::arg("stream"), py::arg("z").noconvert(), py::arg("out").noconvert());
  g.def("sample_logistic", &sample, py::arg("x"), py::arg("shift"), py::arg("scale"), py::arg("y"), py::arg("w"), py::arg("offset"),
        py::arg("fit_intercept"), py::arg("precision"), py::arg("starts"), py::arg("seed"), py::arg("warm_up"),
        py::arg("out").noconvert(), py::arg("watcher"), py::arg("interval"));
}

}  // namespace mlwright::bindings
