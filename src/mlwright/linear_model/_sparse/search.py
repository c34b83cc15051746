"""Cross-validated errors of whole paths of penalties: from the moments of the folds, or from the rows."""

import numpy as np

from mlwright._kernels.fold_statistics import merged
from mlwright._validation import explain_not_finite
from mlwright.linear_model._sparse.block_quadratic import BlockQuadratics
from mlwright.linear_model._sparse.quadratic import Quadratics
from mlwright.linear_model._sparse.working_set import RowsProblem


def gram_search(model, rows, splits):
    """Mean squared errors (n_ratios, n_folds, n_alphas) in the Gram domain, and the penalties."""
    train, test = splits.statistics(model, rows)
    if not all(s.weight > 0.0 for s in train + test):
        _refuse_weights()
    return search_of_sums(model, train, test, merged(test) if splits.fold_numbers is not None else model._sums(rows))


def search_of_sums(model, train, test, whole):
    """The same from statistics of the training and test rows of every split, and of all rows."""
    model._whole = whole
    alphas = model._grids(Quadratics.of([whole], model.fit_intercept))
    return model._gram_errors(train, test, alphas), alphas


def errors_of_targets(model, train, test, alphas):
    """Of the elastic net of one target."""
    folds, ratios = len(train), model._ratios()
    train, test = Quadratics.of(train, model.fit_intercept), Quadratics.of(test, True)
    which, ratio = np.tile(np.arange(folds), len(ratios)), np.repeat(np.arange(len(ratios)), folds)
    answers = train.solve(which, np.zeros_like(which), alphas[ratio], ratios[ratio], **model._options())
    coef = answers.coef[:, :, None]
    return _errors(train.mean, test, which, coef).reshape(len(ratios), folds, -1)


def errors_of_tasks(model, train, test, alphas):
    """Of the multi-task elastic net, averaged over targets."""
    folds, ratios = len(train), model._ratios()
    train, test = BlockQuadratics.of(train, model.fit_intercept), Quadratics.of(test, True)
    which, ratio = np.tile(np.arange(folds), len(ratios)), np.repeat(np.arange(len(ratios)), folds)
    strengths = model._strengths(alphas[ratio], ratios[ratio])
    coef = train.solve(which, strengths, **model._options()).coef
    return _errors(train.mean, test, which, coef).reshape(len(ratios), folds, -1)


def _errors(mean, test, which, coef):
    """Mean squared errors (k, s) on the test set of each path, of coefficients (k, s, t, p) about `mean`."""
    p = coef.shape[3]
    mse = np.zeros(coef.shape[:2])
    for k, fold in enumerate(which):
        for target in range(coef.shape[2]):
            b = np.ascontiguousarray(coef[k, :, target])
            intercept = mean[fold, p + target] - b @ mean[fold, :p]
            mse[k] += test.squared_errors(fold, target, b, intercept)
    return mse / coef.shape[2]


def rows_search(model, rows, splits):
    """The same from the rows: those left out of a fold have weight zero, and nothing is copied."""
    own = np.ones(len(rows.y)) if rows.w is None else rows.w
    whole = RowsProblem.of(rows, model.fit_intercept)
    if whole is None:
        explain_not_finite(model, rows)
    model._whole = None
    alphas, ratios = model._grids(whole), model._ratios()
    mse = np.empty((len(ratios), len(splits), alphas.shape[1]))
    for f, (train, test) in enumerate(zip(splits.train, splits.test, strict=True)):
        w = np.zeros(len(own))
        w[train] = own[train]
        if not (w.sum() > 0.0 and own[test].sum() > 0.0):
            _refuse_weights()
        problem = RowsProblem.of(rows, model.fit_intercept, w)
        for r, ratio in enumerate(ratios):
            coef = model._coefficients(problem, alphas[r], ratio)
            used = np.flatnonzero(coef.any(axis=(0, 1)))
            maps = coef[:, :, used].reshape(-1, len(used))
            fitted = problem.X[test][:, used] @ maps.T - maps @ problem.x_mean[used]
            error = (rows.y[test] - problem.y_mean)[:, None] - fitted.reshape(len(test), *coef.shape[:2])
            mse[r, f] = np.average(error * error, axis=0, weights=own[test]).mean(axis=1)
    return mse, alphas


def _refuse_weights():
    raise ValueError(
        "cv: got a fold whose training or test rows all have weight zero, expected some weight in each; use fewer "
        "folds or leave those rows out."
    )
