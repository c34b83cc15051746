"""The one place that knows ArviZ, which is never a dependency."""


def to_arviz(**groups):
    """Groups of arrays of shape (n_chains, n_draws, ...) by name as ArviZ's data; ArviZ must be installed."""
    import arviz

    groups = {name: group for name, group in groups.items() if group}
    try:
        return arviz.from_dict(**groups)  # before 1.0
    except TypeError:
        return arviz.from_dict(groups)
