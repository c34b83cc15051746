"""A (hierarchical) generalized linear model as the native density sees it, and the way back to the user's units."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlwright._kernels import glm_density as gd
from mlwright._kernels.linalg import affine_map, as_design
from mlwright.bayes._glm.families import Law
from mlwright.bayes._glm.priors import Prior, log_half_constant

_LARGEST, _LEAST_UNIT = 1e153, 1e-153  # of deviations of y
_INTERCEPT_SCALE = 2.5  # where it has a prior: in logarithms, or of the score of the mean of y
_LEAST = 1e-9  # of the dispersion's scale: exp(-_LEAST / dispersion) is a factor of its prior


@dataclass(frozen=True)
class Term:
    """Effects of the levels of a group on the intercept, or on the coefficient of a column.

    Attributes
    ----------
    level : int array of shape (n,)
        Of the training rows.
    levels : int
    column : int or None
        None for effects on the intercept.
    centred : bool
    scale, freedom : float
        Of the half-Student-t prior of the standard deviation of effects, those of a slope in standardised columns.
    start : float
        About that standard deviation.
    """

    level: np.ndarray
    levels: int
    column: int | None
    centred: bool
    scale: float
    freedom: float
    start: float = 1.0


@dataclass(frozen=True)
class Problem:
    """Rows, likelihood and priors.

    Attributes
    ----------
    X : array of shape (n, p)
    y, w, offset : arrays of shape (n,); the latter two may be None
        In the user's units.
    law : Law
    fit_intercept : bool
    prior : Prior
    shift, scale : arrays of shape (p,)
        The prior is about the coefficients of ``(X - shift) * scale``.
    y_shift, y_unit : float
        Scores are about ``(y - y_shift) / y_unit``: 0 and 1 where they are not in the units of y.
    dispersion_scale : float
        Of the half-Student-t(3) prior of the root of the dispersion of y in those units.
    terms : tuple of Term
    """

    X: np.ndarray
    y: np.ndarray
    w: np.ndarray | None
    offset: np.ndarray | None
    law: Law
    fit_intercept: bool
    prior: Prior
    shift: np.ndarray
    scale: np.ndarray
    y_shift: float = 0.0
    y_unit: float = 1.0
    dispersion_scale: float = 1.0
    terms: tuple = ()

    @classmethod
    def of(cls, X, y, w, offset, law, fit_intercept, prior, *, dispersion_scale=1.0, terms=()):
        """`prior` is called with the number of columns, `dispersion_scale` is in units that the law knows."""
        shift, scale = standardised(X, w, fit_intercept)
        y_shift, y_unit = 0.0, 1.0
        if law.in_units_of_y:
            (mean,), (unit,) = standardised(y[:, None], w, fit_intercept)
            y_shift, y_unit = float(mean), float(1.0 / unit)
            if not y_unit < _LARGEST:
                raise ValueError(
                    f"y: its standard deviation is {y_unit:g}, whose square overflows float64; expected less than "
                    f"{_LARGEST:g}; divide y by a constant"
                )
            if not y_unit > _LEAST_UNIT:
                raise ValueError(
                    f"y: its standard deviation is {y_unit:g}, whose square vanishes in float64; expected more than "
                    f"{_LEAST_UNIT:g}; multiply y by a constant"
                )
        in_units = dispersion_scale * law.unit_of_dispersion(y, w) if law.dispersed else 1.0
        return cls(
            X,
            y,
            w,
            offset,
            law,
            fit_intercept,
            prior(X.shape[1]),
            shift,
            scale,
            y_shift,
            y_unit,
            in_units,
            tuple(terms),
        )

    @property
    def is_plain(self):
        """Whether coefficients with normal priors are all that is unknown: Newton's method then finds the mode."""
        return self.prior.shape == gd.NORMAL and not self.terms and not self.law.dispersed

    @property
    def weight(self):
        return float(len(self.y) if self.w is None else self.w.sum())

    @cached_property
    def target(self):
        """y as the density sees it."""
        return (self.y - self.y_shift) / self.y_unit

    @cached_property
    def start(self):
        """The offset as the density sees it, or None."""
        return None if self.offset is None else self.offset / self.y_unit

    @cached_property
    def start_of_intercept(self):
        """The score of the mean of y; NaN where it has none."""
        if not self.fit_intercept:
            return 0.0
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(self.law.score(np.average(self.target, weights=self.w)))

    @cached_property
    def intercept_prior(self):
        """Centre and scale of a normal law; the scale is 0 where the prior is flat."""
        if not (self.fit_intercept and self.law.levels_off):
            return 0.0, 0.0
        score = self.start_of_intercept
        if not np.isfinite(score):
            raise ValueError(
                f"y: its mean is {np.average(self.y, weights=self.w):g}, which has no score by the {self.law.link} "
                "link; expected a positive mean; use the identity link"
            )
        scale = _INTERCEPT_SCALE * (1.0 if self.law.link == "log" else abs(score))
        offset = 0.0 if self.start is None else float(np.average(self.start, weights=self.w))
        return score - offset, scale

    @cached_property
    def model(self):
        y = self.target
        w = np.ones(len(y)) if self.w is None else self.w
        family = self.law.family
        counts, places = np.unique(y, return_inverse=True) if self.law.name == "negative_binomial" else ((), ())
        return gd.GlmModel(
            as_design(self.X),
            self.shift,
            self.scale,
            y,
            self.w,
            self.start,
            self.law.loss.name,
            self.fit_intercept,
            self.prior.shape,
            self.prior.scale,
            self.prior.freedom,
            self.prior.global_scale,
            self.prior.slab,
            tuple(self._native_term(term) for term in self.terms),
            family.dispersion,
            self.dispersion_scale,
            float(w.sum()),
            float(w @ family.moment(y)),
            _LEAST * self.dispersion_scale**2,
            np.asarray(counts, dtype=np.float64),
            np.bincount(places, weights=w) if len(counts) else np.zeros(0),
            *self.intercept_prior,
        )

    def _native_term(self, term):
        slope = None if term.column is None else self.X[:, term.column] * self.scale[term.column]
        return gd.GlmTerm(
            term.level.astype(np.int32), slope, term.levels, bool(term.centred), float(term.scale), float(term.freedom)
        )

    @property
    def log_constant(self):
        """What the native density leaves out of the log density of y and all parameters; a flat prior of the
        intercept has density 1 in the units of y.
        """
        left_out = self.law.family.left_out(self.target)
        value = float(left_out.sum() if self.w is None else self.w @ left_out) + self.prior.log_constant
        value -= (self.weight - self.fit_intercept) * np.log(self.y_unit)
        if self.intercept_prior[1] > 0.0:
            value -= np.log(self.intercept_prior[1]) + 0.5 * np.log(2.0 * np.pi)
        if self.law.dispersed:  # its root has the prior, and its logarithm half the root's
            value += log_half_constant(3.0, self.dispersion_scale) - np.log(2.0)
        for term in self.terms:
            value += log_half_constant(term.freedom, term.scale) - 0.5 * term.levels * np.log(2.0 * np.pi)
        return value

    @cached_property
    def places(self):
        """Slices of a point, by part."""
        p, shrinks = len(self.scale), self.prior.shape == gd.HORSESHOE
        sizes = {
            "coef": p,
            "intercept": int(self.fit_intercept),
            **{f"effects{t}": term.levels for t, term in enumerate(self.terms)},
            "scales": len(self.terms),
            "dispersion": int(self.law.dispersed),
            "hyper": (p + 1) * shrinks,
        }
        ends = np.cumsum(list(sizes.values()))
        return {name: slice(int(end) - n, int(end)) for (name, n), end in zip(sizes.items(), ends, strict=True)}

    @property
    def size(self):
        return self.places["hyper"].stop

    def answers(self, theta):
        """Points (m, size) as parameters in the user's units, each with m along its first axis.

        ``coef`` (m, p), ``intercept`` (m,), ``dispersion`` (m,), where the law has one, and the tuples ``scales`` of
        (m,) and ``effects`` of (m, levels).
        """
        part = {name: theta[:, place] for name, place in self.places.items()}
        coef = self.prior.coefficients(part["coef"], part["hyper"]) * self.scale
        start = part["intercept"][:, 0] if self.fit_intercept else np.zeros(len(theta))
        out = {
            "coef": coef * self.y_unit,
            "intercept": self.y_shift + self.y_unit * (start - (coef * self.shift).sum(axis=1)),
            "scales": (),
            "effects": (),
        }
        if self.law.dispersed:
            out["dispersion"] = np.exp(part["dispersion"][:, 0]) * self.y_unit**2
        for t, term in enumerate(self.terms):
            unit = self.y_unit * (1.0 if term.column is None else self.scale[term.column])
            deviation = np.exp(part["scales"][:, t])
            effects = part[f"effects{t}"] * (1.0 if term.centred else deviation[:, None])
            out["scales"] += (deviation * unit,)
            out["effects"] += (effects * unit,)
        return out

    def log_likelihood(self, begin, end, answers):
        """Of rows under parameters, shape (end - begin, m); a row's weight does not count."""
        offset = None if self.offset is None else self.offset[begin:end]
        levels = [term.level[begin:end] for term in self.terms]
        eta = scores(self.X[begin:end], offset, answers, [term.column for term in self.terms], levels)
        return self.law.log_density(self.y[begin:end, None], eta, answers.get("dispersion", 1.0))


def scores(X, offset, answers, columns, levels):
    """Scores of rows under parameters, shape (n, m); `levels` of each term index its effects."""
    m = len(answers["intercept"])
    eta = affine_map(as_design(X), answers["coef"], answers["intercept"]) if X.shape[1] else np.zeros((len(X), m))
    if not X.shape[1]:
        eta += answers["intercept"]
    if offset is not None:
        eta += offset[:, None]
    for effects, column, level in zip(answers["effects"], columns, levels, strict=True):
        added = effects.T[level]
        eta += added if column is None else added * X[:, column, None]
    return eta


def standardised(X, w, fit_intercept):
    """Means (zeros without an intercept) and reciprocal standard deviations of the columns; 1 for constant ones."""
    total = float(len(X)) if w is None else float(w.sum())
    w = np.ones(len(X)) if w is None else w
    shift = (w @ X) / total if fit_intercept else np.zeros(X.shape[1])
    Z = X - shift
    # A power of two, so that squares of large and small numbers are within those of doubles and no bit changes.
    unit = np.ldexp(1.0, np.frexp(_largest(Z))[1])
    Z /= unit
    spread = unit * np.sqrt((w @ np.square(Z, out=Z)) / total)
    usable = spread > 1e-13 * (np.abs(shift) + _largest(X))
    return shift, np.where(usable, 1.0 / np.where(usable, spread, 1.0), 1.0)


def _largest(X):
    """Of the sizes of each column's numbers, without a copy of them."""
    return np.maximum(X.max(axis=0, initial=0.0), -X.min(axis=0, initial=0.0))
