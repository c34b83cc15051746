"""Penalties that leave few coefficients: the lasso, the elastic net, tasks and groups."""
