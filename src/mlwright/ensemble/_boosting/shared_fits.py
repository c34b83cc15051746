"""Boosting's shared fit path (`mlwright._shared_fits`): many fits on one training set.

Shared are the checked, split and binned rows, among fits that differ in parameters of growth only; and the trees, among
fits that differ in ``max_iter`` only: each is a beginning of the longest. The thresholds of the bins are always those
of the training set that ``fit`` would see, so nothing of the rows that scores are made on can leak into them.
"""

import copy
from numbers import Integral

from joblib import hash as digest_of

from mlwright.base import check_parameters
from mlwright.ensemble._boosting.parameters import GROWTH_ONLY


def batches(candidates):
    """Numbers of candidates that are beginnings of one fit, shortest first."""
    groups = {}
    for number, candidate in enumerate(candidates):
        groups.setdefault(_group(candidate, number), []).append(number)
    return [sorted(group, key=lambda number: candidates[number].max_iter) for group in groups.values()]


def _group(candidate, number):
    max_iter = candidate.max_iter
    if isinstance(max_iter, bool) or not isinstance(max_iter, Integral) or max_iter < 1:
        return number  # fails on its own
    return _digest(candidate, {"max_iter"}) or number


def _digest(estimator, without):
    """What all parameters but some are, as a string; None if they cannot be compared."""
    parameters = {name: value for name, value in estimator.get_params(deep=False).items() if name not in without}
    try:
        return digest_of(parameters)
    except Exception:  # pickling raises whatever it likes: a lambda, a lock
        return None


# Parameters of ``fit`` that look at each fit's own iterations or time.
_CONTROLS = {"eval_metric", "callback", "max_time"}


def fit_batch(candidates, rows):
    """Fitted estimators, one for each candidate: one fit, seen whenever it is as long as the next of them."""
    if any(rows.fit_params.get(name) is not None for name in _CONTROLS):
        for candidate in candidates:
            yield candidate.fit(rows.X, rows.y, **rows.fit_params)
        return
    longest = candidates[-1]
    for candidate in candidates:
        check_parameters(candidate)
    key = _digest(longest, GROWTH_ONLY) or object()
    attributes, prepared = rows.memo.get(key, lambda: _prepare(longest, rows))
    vars(longest).update(attributes)
    fit = longest._boosting(prepared, continuing=False)
    fit.begin()
    for candidate in candidates:
        fit.run(candidate.max_iter)
        fitted = copy.copy(longest)
        fitted.max_iter = candidate.max_iter
        fitted._keep(fit)
        yield fitted


def _prepare(estimator, rows):
    """What precedes growth, and the fitted attributes that come from it."""
    estimator = copy.copy(estimator)
    parameters = set(vars(estimator))
    arguments = {name: value for name, value in rows.fit_params.items() if name not in _CONTROLS}
    prepared = estimator._prepare(rows.X, rows.y, **arguments)
    return {name: value for name, value in vars(estimator).items() if name not in parameters}, prepared
