#include <pybind11/pybind11.h>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/sampler/order_statistics.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;

void order_statistics(const Vector<double>& values, const Vector<index_t>& places, Vector<double>& out) {
  if (values.ndim() != 2 || values.shape(1) < 1) throw py::value_error("values: expected rows of one draw or more");
  const auto at = span<index_t>(places);
  for (const index_t place : at)
    if (place < 0 || place >= values.shape(1)) throw py::value_error("places: expected places among the draws");
  require_size(out, 2 * values.shape(0) * places.size(), "out");
  double* const to = out.mutable_data();
  without_gil([&](runtime::CancelToken& token) {
    sampler::order_statistics(values.data(), values.shape(0), values.shape(1), at, to, token);
  });
}

}  // namespace

void register_order_statistics(py::module_& m) {
  m.def_submodule("order_statistics")
      .def("order_statistics", &order_statistics, py::arg("values").noconvert(), py::arg("places").noconvert(), py::arg("out").noconvert());
}

}  // namespace mlwright::bindings
