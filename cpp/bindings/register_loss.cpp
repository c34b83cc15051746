#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/loss/info.hpp"
#include "mlwright/tree/objective.hpp"
#include "simd/losses.hpp"

namespace mlwright::bindings {

namespace py = pybind11;

namespace {

int place_of(const std::string& name) {
  const int place = loss::find(name);
  if (place < 0) throw py::value_error("loss: got '" + name + "', expected the name of one");
  return place;
}

void check_lengths(const Vector<double>& y, const Vector<double>& other) {
  if (y.size() != other.size()) throw py::value_error("loss: arrays differ in length");
}

py::tuple grad_hess(const std::string& name, double parameter, const Vector<double>& y, const Vector<double>& raw) {
  const int place = place_of(name);
  check_lengths(y, raw);
  Vector<double> g(y.size()), h(y.size());
  double *to_g = g.mutable_data(), *to_h = h.mutable_data();
  without_gil([&](auto&) { simd::losses().of[place].grad_hess(parameter, y.data(), raw.data(), y.size(), to_g, to_h); });
  return py::make_tuple(g, h);
}

Vector<double> value(const std::string& name, double parameter, const Vector<double>& y, const Vector<double>& raw) {
  const int place = place_of(name);
  check_lengths(y, raw);
  Vector<double> out(y.size());
  double* to = out.mutable_data();
  without_gil([&](auto&) { simd::losses().of[place].value(parameter, y.data(), raw.data(), y.size(), to); });
  return out;
}

double best_constant(const std::string& name, double parameter, const Vector<double>& y, const Vector<double>& weight) {
  place_of(name);
  if (y.size() == 0 || (weight.size() != 0 && weight.size() != y.size()))
    throw py::value_error("loss: expected targets, and as many weights or none");
  return without_gil([&](auto& token) {
    return tree::scalar_objective(name, parameter)->start(span(y), span(weight), token).front();
  });
}

index_t first_outside(const std::string& name, const Vector<double>& y) {
  const loss::Info& info = loss::all()[static_cast<std::size_t>(place_of(name))];
  for (index_t i = 0; i < y.size(); ++i)
    if (!info.in_domain(y.data()[i])) return i;
  return -1;
}

double weighted_quantile(const Vector<double>& y, const Vector<double>& weight, double level) {
  if (y.size() == 0 || (weight.size() != 0 && weight.size() != y.size()))
    throw py::value_error("weighted_quantile: expected values, and as many weights or none");
  std::vector<double> values(y.data(), y.data() + y.size()), weights(weight.data(), weight.data() + weight.size());
  return without_gil([&](auto&) { return loss::weighted_quantile(values, weights, level); });
}

const char* link_name(loss::Link link) {
  return link == loss::Link::identity ? "identity" : link == loss::Link::log ? "log" : "logit";
}

py::list losses() {
  py::list rows;
  for (const loss::Info& info : loss::all())
    rows.append(py::dict(py::arg("name") = info.name, py::arg("link") = link_name(info.link), py::arg("convex") = info.convex,
                         py::arg("constant_hessian") = info.constant_hessian,
                         py::arg("renews_leaves") = info.renews_leaves, py::arg("has_parameter") = info.has_parameter));
  return rows;
}

}  // namespace

void register_loss(py::module_& m) {
  py::module_ loss = m.def_submodule("loss");
  loss.def("grad_hess", &grad_hess, py::arg("name"), py::arg("parameter"), py::arg("y").noconvert(), py::arg("raw").noconvert());
  loss.def("value", &value, py::arg("name"), py::arg("parameter"), py::arg("y").noconvert(), py::arg("raw").noconvert());
  loss.def("best_constant", &best_constant, py::arg("name"), py::arg("parameter"), py::arg("y").noconvert(),
           py::arg("weight").noconvert());
  loss.def("first_outside", &first_outside, py::arg("name"), py::arg("y").noconvert());
  loss.def("weighted_quantile", &weighted_quantile, py::arg("y").noconvert(), py::arg("weight").noconvert(), py::arg("level"));
  loss.attr("TABLE") = losses();
}

}  // namespace mlwright::bindings
