"""All problems, in the order of the table."""

from benchmarks.problem import Problem
from benchmarks.problems import (
    bart,
    bayesian,
    boosting,
    categorical,
    clusters,
    density,
    diagnostics,
    gaussian_process,
    glm,
    inference,
    lasso,
    least_squares,
    losses,
    mixture,
    prediction,
    robust,
    search,
    shap,
    sparse,
)

PROBLEMS: dict[str, Problem] = {
    problem.name: problem
    for part in (
        least_squares,
        inference,
        glm,
        lasso,
        robust,
        bayesian,
        bart,
        density,
        diagnostics,
        clusters,
        mixture,
        gaussian_process,
        boosting,
        losses,
        categorical,
        prediction,
        search,
        sparse,
        shap,
    )
    for problem in part.PROBLEMS
}
