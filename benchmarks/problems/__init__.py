"""All problems, in the order of the table."""

from benchmarks.problem import Problem
from benchmarks.problems import bayesian, boosting, least_squares, search, sparse

PROBLEMS: dict[str, Problem] = {
    problem.name: problem
    for problem in (*least_squares.PROBLEMS, *bayesian.PROBLEMS, *boosting.PROBLEMS, *search.PROBLEMS, *sparse.PROBLEMS)
}
