#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/mixture/gaussian.hpp"

namespace mlwright::bindings {
namespace {

using Doubles = Vector<double>;
using MaybeDoubles = std::optional<Doubles>;
using mixture::Covariance;

Covariance covariance_named(const std::string& name) {
  if (name == "full") return Covariance::full;
  if (name == "tied") return Covariance::tied;
  if (name == "diagonal") return Covariance::diagonal;
  throw py::value_error("covariance: got '" + name + "'; expected 'full', 'tied' or 'diagonal'");
}

mixture::Rows rows_of(const Doubles& x, const MaybeDoubles& w) {
  if (x.ndim() != 2 || x.shape(1) == 0) throw py::value_error("X: expected two axes and a column");
  if (w) require_size(*w, x.shape(0), "w");
  return {x.data(), x.shape(0), w ? w->data() : nullptr};
}

index_t factors_size(Covariance covariance, index_t k, index_t d) {
  return covariance == Covariance::full ? k * d * d : covariance == Covariance::tied ? d * d : k * d;
}

py::tuple answer(const mixture::Moments& moments) {
  const auto array = [](const std::vector<double>& values) { return Doubles(static_cast<index_t>(values.size()), values.data()); };
  return py::make_tuple(moments.log_likelihood, moments.entropy, array(moments.mass), array(moments.sums), array(moments.squares));
}

py::tuple expect(const Doubles& x, const MaybeDoubles& w, const std::string& covariance, const Doubles& means,
                 const Doubles& factors, const Doubles& constants, std::optional<Doubles> log_density,
                 std::optional<Doubles> responsibility, bool moments) {
  const mixture::Rows rows = rows_of(x, w);
  const index_t d = x.shape(1), k = constants.size();
  const Covariance kind = covariance_named(covariance);
  require_size(means, k * d, "means");
  require_size(factors, factors_size(kind, k, d), "factors");
  mixture::RowAnswers answers;
  if (log_density) {
    require_size(*log_density, rows.n, "log_density");
    answers.log_density = log_density->mutable_data();
  }
  if (responsibility) {
    require_size(*responsibility, rows.n * k, "responsibility");
    answers.responsibility = responsibility->mutable_data();
  }
  const mixture::Components components{k, d, kind, means.data(), factors.data(), constants.data()};
  return answer(without_gil([&](auto& token) { return mixture::expect(rows, components, answers, moments, token); }));
}

py::tuple moments_of(const Doubles& x, const MaybeDoubles& w, const Doubles& responsibility, const std::string& covariance,
                     const Doubles& centres) {
  const mixture::Rows rows = rows_of(x, w);
  const index_t d = x.shape(1), k = centres.size() / d;
  require_size(centres, k * d, "centres");
  require_size(responsibility, rows.n * k, "responsibility");
  const Covariance kind = covariance_named(covariance);
  return answer(without_gil([&](auto& token) {
    return mixture::moments_of(rows, responsibility.data(), k, d, kind, centres.data(), token);
  }));
}

}  // namespace

void register_mixture(py::module_& m) {
  py::module_ mixture = m.def_submodule("mixture");
  mixture.def("expect", &expect, py::arg("x").noconvert(), py::arg("w").noconvert(), py::arg("covariance"),
              py::arg("means").noconvert(), py::arg("factors").noconvert(), py::arg("constants").noconvert(),
              py::arg("log_density").noconvert(), py::arg("responsibility").noconvert(), py::arg("moments"));
  mixture.def("moments_of", &moments_of, py::arg("x").noconvert(), py::arg("w").noconvert(),
              py::arg("responsibility").noconvert(), py::arg("covariance"), py::arg("centres").noconvert());
}

}  // namespace mlwright::bindings
