"""How PCA answers, and how many components a truncated decomposition can be asked for."""

_LARGEST_GRAM = 1000  # columns; scikit-learn's bound too
_ROWS_A_COLUMN = 10


def route(shape, is_sparse, n_components, solver):
    """The solver to use: as scikit-learn chooses, but exactly where the scatter matrix is cheap."""
    n, p = shape
    k = n_components
    cheap = p <= _LARGEST_GRAM and n >= _ROWS_A_COLUMN * p
    truncated = solver in ("arpack", "randomized") or (solver == "auto" and is_sparse)
    if truncated:
        required_count(n, p, k, "arpack" if solver == "auto" else solver)
    if cheap and solver != "full":
        return "covariance_eigh"
    if solver != "auto":
        return solver
    if is_sparse:
        return "arpack"
    if max(n, p) > 500 and k is not None and k != "mle" and 1 <= k < 0.8 * min(n, p):
        return "randomized"
    return "full"


def required_count(n, p, n_components, solver):
    """The number of components that a truncated `solver` is asked for; ValueError where it cannot find as many."""
    k = min(n, p) - (solver == "arpack") if n_components is None else n_components
    if isinstance(k, str):
        raise ValueError(f"n_components={k!r} cannot be a string with svd_solver='{solver}'")
    if not 1 <= k <= min(n, p):
        raise ValueError(
            f"n_components={k!r} must be between 1 and min(n_samples, n_features)={min(n, p)} with "
            f"svd_solver='{solver}'"
        )
    if solver == "arpack" and k == min(n, p):
        raise ValueError(
            f"n_components={k!r} must be strictly less than min(n_samples, n_features)={min(n, p)} with "
            f"svd_solver='{solver}'"
        )
    return int(k)
