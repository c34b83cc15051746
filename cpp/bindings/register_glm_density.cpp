#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "designs.hpp"
#include "mlwright/sampler/glm/density.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;
namespace glm = sampler::glm;
using Numbers = Vector<double>;

// A density with the Python object (mlwright._kernels.glm_density.GlmModel) whose arrays it reads.
class Held {
 public:
  explicit Held(py::object model) : owner_(std::move(model)), loss_(owner_.attr("loss").cast<std::string>()) {
    const auto design = design_of(get("X"));
    n_ = design->rows(), p_ = design->cols();
    glm::Model rows;
    rows.y = held("y");
    if (static_cast<index_t>(rows.y.size()) != n_) throw py::value_error("X and y differ in their number of rows");
    rows.w = one_a_row("w"), rows.offset = one_a_row("offset");
    rows.loss = loss_;
    rows.fit_intercept = get("fit_intercept").cast<bool>();
    rows.intercept = {get("intercept_centre").cast<double>(), get("intercept_scale").cast<double>()};
    rows.coefficients = coefficient_prior();
    for (const auto& term : get("terms")) rows.terms.push_back(term_of(py::reinterpret_borrow<py::object>(term)));
    rows.dispersion = static_cast<glm::Dispersion>(get("dispersion").cast<int>());
    rows.sums = {get("weight").cast<double>(), get("moment").cast<double>(), get("least").cast<double>(), held("counts"), held("count_weights")};
    if (rows.sums.counts.size() != rows.sums.count_weights.size()) throw py::value_error("counts: expected a weight each");
    rows.root_dispersion = {get("dispersion_scale").cast<double>(), 3};
    const auto shift = numbers("shift"), scale = numbers("scale");
    const auto shifts = all(shift, p_, "shift"), scales = all(scale, p_, "scale");
    density_ = without_gil([&](auto& token) {
      return std::make_unique<glm::Density>(std::move(rows), *design, shifts, scales, token);
    });
  }

  glm::Density& density() noexcept { return *density_; }

 private:
  py::object get(const char* name) const { return owner_.attr(name); }
  Numbers numbers(const char* name) const { return get(name).cast<Numbers>(); }
  // Kept alive as long as the density.
  std::span<const double> held(const char* name) {
    arrays_.push_back(numbers(name));
    return span<double>(arrays_.back().cast<Numbers>());
  }
  static std::span<const double> all(const Numbers& a, index_t size, const char* name) {
    require_size(a, size, name);
    return span<double>(a);
  }
  const double* one_a_row(const char* name) {
    if (get(name).is_none()) return nullptr;
    const auto a = held(name);
    if (static_cast<index_t>(a.size()) != n_) throw py::value_error(std::string(name) + ": expected one number a row");
    return a.data();
  }
  glm::CoefficientPrior coefficient_prior() const {
    const auto scale = numbers("prior_scale");
    const auto each = all(scale, p_, "prior_scale");
    return {static_cast<glm::Shape>(get("prior").cast<int>()), {each.begin(), each.end()}, get("prior_freedom").cast<double>(),
            get("global_scale").cast<double>(), get("slab").cast<double>()};
  }
  glm::Term term_of(const py::object& term) {
    const auto level = term.attr("level").cast<Vector<std::int32_t>>();
    glm::Term out;
    out.levels = term.attr("levels").cast<index_t>();
    if (level.size() != n_) throw py::value_error("level: expected one a row");
    for (const std::int32_t k : span<std::int32_t>(level))
      if (k < 0 || k >= out.levels) throw py::value_error("level: expected numbers from 0 to levels - 1");
    arrays_.push_back(level);
    out.level = span<std::int32_t>(level);
    if (!term.attr("slope").is_none()) {
      const auto slope = term.attr("slope").cast<Numbers>();
      arrays_.push_back(slope);
      out.slope = all(slope, n_, "slope");
    }
    out.prior = {term.attr("centred").cast<bool>(), {term.attr("scale").cast<double>(), term.attr("freedom").cast<double>()}};
    return out;
  }

  py::object owner_;
  std::string loss_;
  index_t n_ = 0, p_ = 0;
  std::vector<py::object> arrays_;
  std::unique_ptr<glm::Density> density_;
};

double evaluate(Held& held, const Numbers& u, Numbers& gradient) {
  require_size(u, held.density().layout().size, "u");
  require_size(gradient, held.density().layout().size, "gradient");
  double* const to = gradient.mutable_data();
  return without_gil([&](auto&) { return held.density()(u.data(), to); });
}

void evaluate_many(Held& held, const Numbers& points, Numbers& out, std::optional<Numbers> gradients) {
  require_size(points, out.size() * held.density().layout().size, "points");
  const auto to = mutable_span<double>(out);
  if (gradients) require_size(*gradients, points.size(), "gradients");
  double* const slopes = gradients ? gradients->mutable_data() : nullptr;
  without_gil([&](auto& token) { held.density().evaluate(span<double>(points), to, slopes, token); });
}

void set_map(Held& held, const Numbers& centre, const Numbers& columns) {
  const index_t mapped = columns.ndim() == 2 ? columns.shape(0) : 0;
  if (columns.ndim() != 2 || columns.shape(1) != mapped || mapped > held.density().layout().size)
    throw py::value_error("columns: expected a square matrix, not larger than a point");
  require_size(centre, held.density().layout().size, "centre");
  held.density().set_map(span<double>(centre), span<double>(columns), mapped);
}

}  // namespace

void register_glm_density(py::module_& m) {
  py::module_ g = m.def_submodule("glm_density");
  py::class_<Held>(g, "Density")
      .def(py::init<py::object>(), py::arg("model"))
      .def_property_readonly("size", [](Held& held) { return held.density().layout().size; })
      .def_property_readonly("address", [](Held&) { return reinterpret_cast<std::uintptr_t>(&glm::Density::call); })
      .def_property_readonly("data_address", [](Held& held) { return reinterpret_cast<std::uintptr_t>(&held.density()); });
  g.def("evaluate", &evaluate, py::arg("density"), py::arg("u").noconvert(), py::arg("gradient").noconvert());
  g.def("evaluate_many", &evaluate_many, py::arg("density"), py::arg("points").noconvert(), py::arg("out").noconvert(),
        py::arg("gradients").noconvert());
  g.def("set_map", &set_map, py::arg("density"), py::arg("centre").noconvert(), py::arg("columns").noconvert());
}

}  // namespace mlwright::bindings
