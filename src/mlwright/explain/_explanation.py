"""What an explainer returns: parallel arrays that shap's plots take for their own."""

import sys
from copy import copy

import numpy as np

_ROWS, _FEATURES, _OTHERS, _OUTPUTS = "rows", "features", "other features", "outputs"


class Explanation:
    """SHAP values with what they explain, sliced together.

    Where the shap package is loaded, ``isinstance(explanation, shap.Explanation)`` holds, so its plots take this object
    as it is: ``shap.plots.beeswarm(explanation)``, ``shap.plots.waterfall(explanation[0])``.
    ``shap.Explanation(explanation)`` makes one of shap's own class of it. This package does not need shap.

    Parameters
    ----------
    values : ndarray of shape (n, p), (n, p, n_outputs), (n, p, p) or (n, p, p, n_outputs)
        SHAP values, or interaction values where ``interactions`` is true.
    base_values : ndarray of shape (n,) or (n, n_outputs)
        The prediction when no feature is known.
    data : ndarray of shape (n, p)
        The rows that are explained.
    feature_names : list of str or None
    output_names : list of str or None
    interactions : bool
        Whether the values are of pairs of features.

    Attributes
    ----------
    values, base_values, data, feature_names, output_names
        As above; slicing slices all of them.
    shape : tuple
        Of the values.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.explain import Explanation
    >>> e = Explanation(np.array([[1.0, -2.0], [3.0, 4.0]]), np.array([0.5, 0.5]), np.eye(2), ["age", "income"])
    >>> e[0].values, float(e[0].base_values)
    (array([ 1., -2.]), 0.5)
    >>> e[:, "income"].values
    array([-2.,  4.])
    >>> e.abs.mean(0).values
    array([2., 3.])
    """

    def __init__(self, values, base_values, data, feature_names=None, output_names=None, *, interactions=False):
        self.values = values
        self.base_values = base_values
        self.data = data
        self.feature_names = feature_names
        self.output_names = output_names
        self.display_data = self.instance_names = self.output_indexes = self.clustering = None
        self.lower_bounds = self.upper_bounds = self.error_std = self.main_effects = self.hierarchical_values = None
        self.op_history = []
        axes = (_ROWS, _FEATURES, _OTHERS) if interactions else (_ROWS, _FEATURES)
        self._axes = axes if np.ndim(values) == len(axes) else (*axes, _OUTPUTS)

    @property
    def __class__(self):
        """shap's class where shap is loaded: its plots ask isinstance()."""
        shap = sys.modules.get("shap")
        return getattr(shap, "Explanation", Explanation)

    def __reduce__(self):
        return _restored, (vars(self).copy(),)

    @property
    def shape(self):
        """Shape of the values."""
        return np.shape(self.values)

    @property
    def output_dims(self):
        """The axis of outputs, if there is one."""
        return tuple(i for i, axis in enumerate(self._axes) if axis == _OUTPUTS)

    def __len__(self):
        return self.shape[0]

    def __repr__(self):
        return f".values =\n{self.values!r}\n\n.base_values =\n{self.base_values!r}\n\n.data =\n{self.data!r}"

    def __getitem__(self, item):
        """Rows, features and outputs by number, slice, list or mask; features and outputs by name too."""
        items = _expanded(item if isinstance(item, tuple) else (item,), len(self._axes))
        taken = copy(self)
        for axis, chosen in zip(self._axes, items, strict=True):
            taken = taken._take(axis, self._number_of(axis, chosen))
        return taken

    def _number_of(self, axis, chosen):
        """Names and shap's chains of operations as numbers."""
        if isinstance(chosen, str):
            names = list(self._names_of(axis) or ())
            if chosen not in names:
                raise KeyError(f"explanation: got {chosen!r}, expected the name of one of the {axis}: {names[:5]}")
            return names.index(chosen)
        if hasattr(chosen, "apply"):
            chosen = chosen.apply(self)
        return getattr(chosen, "values", chosen)

    def _names_of(self, axis):
        return {_FEATURES: self.feature_names, _OTHERS: self.feature_names, _OUTPUTS: self.output_names}.get(axis)

    def _take(self, axis, chosen):
        """Everything along one axis; an axis of which one entry is taken is gone."""
        if isinstance(chosen, slice) and chosen == slice(None):
            return self
        taken = copy(self)
        for name, axes in self._arrays():
            if axis in axes:
                setattr(taken, name, _along(getattr(self, name), axes.index(axis), chosen))
        if axis == _FEATURES and self.feature_names is not None:
            taken.feature_names = _some(self.feature_names, chosen)
        if axis == _OUTPUTS and self.output_names is not None:
            taken.output_names = _some(self.output_names, chosen)
        if isinstance(chosen, int | np.integer):
            taken._axes = tuple(a for a in self._axes if a != axis)
        return taken

    def _arrays(self):
        """Names of the arrays and their axes."""
        present = self._axes
        yield "values", present
        yield "base_values", tuple(a for a in present if a in (_ROWS, _OUTPUTS))
        if self.data is not None:
            yield "data", tuple(a for a in present if a in (_ROWS, _FEATURES))

    def _mapped(self, name, axis=None):
        """A NumPy function over the values, along an axis or all of them."""
        function = getattr(np, name)
        result = copy(self)
        result.op_history = [*self.op_history, _Operation(name, {} if axis is None else {"axis": axis}, self.shape)]
        if axis is None:
            result.values = function(self.values)
            return result
        gone = self._axes[axis]
        result.values = function(self.values, axis=axis)
        result._axes = tuple(a for a in self._axes if a != gone)
        if gone == _ROWS:
            result.data = None
            result.base_values = np.mean(self.base_values, axis=0)
        elif gone == _FEATURES:
            result.data, result.feature_names = None, None
        elif gone == _OUTPUTS:
            result.base_values, result.output_names = None, None
        return result

    @property
    def abs(self):
        """With the values' magnitudes."""
        return self._mapped("abs")

    @property
    def identity(self):
        """Itself."""
        return self

    @property
    def argsort(self):
        """With the order of the values."""
        return self._mapped("argsort")

    @property
    def flip(self):
        """With the values in reverse."""
        return self._mapped("flip")

    def mean(self, axis):
        """With the values' means along an axis."""
        return self._mapped("mean", axis)

    def max(self, axis):
        """With the largest values along an axis."""
        return self._mapped("max", axis)

    def min(self, axis):
        """With the smallest values along an axis."""
        return self._mapped("min", axis)

    def sum(self, axis):
        """With the values' sums along an axis."""
        return self._mapped("sum", axis)

    def sample(self, max_samples, replace=False, random_state=0):
        """Some rows, drawn as shap draws them."""
        rng = np.random.RandomState(random_state)
        return self[rng.choice(len(self), size=min(max_samples, len(self)), replace=replace)]


class _Operation:
    """An entry of ``op_history``, by which shap's plots write their labels."""

    def __init__(self, name, kwargs, prev_shape):
        self.name, self.args, self.kwargs, self.prev_shape = name, (), kwargs, prev_shape
        self.collapsed_instances = kwargs.get("axis") == 0


def _restored(state):
    explanation = object.__new__(Explanation)
    vars(explanation).update(state)
    return explanation


def _expanded(items, n_axes):
    """One item an axis."""
    if len(items) - (Ellipsis in [i for i in items if i is Ellipsis]) > n_axes:
        raise IndexError(f"explanation: got {len(items)} indices, expected at most {n_axes}")
    where = next((i for i, item in enumerate(items) if item is Ellipsis), len(items))
    after = items[where + 1 :]
    return [*items[:where], *[slice(None)] * (n_axes - where - len(after)), *after]


def _along(array, axis, chosen):
    return array[(slice(None),) * axis + (chosen,)]


def _some(names, chosen):
    if isinstance(chosen, int | np.integer):
        return names[chosen]
    return np.asarray(names, dtype=object)[chosen].tolist()
