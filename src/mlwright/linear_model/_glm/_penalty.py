"""scikit-learn's ways to name a penalty, and which of its solvers have what a penalty needs."""

import warnings

_STRONGEST = 1e300
_PROXIMAL = ("auto", "saga", "liblinear")  # solvers that have a proximal step, which an L1 penalty needs


def strength_of(C):
    """``1 / C``; about the largest number where that is infinite."""
    return 1.0 / max(C, 1.0 / _STRONGEST)


def penalty_of(model):
    """``(1 / C, l1_ratio)`` of a LogisticRegression, with scikit-learn's warnings of what is deprecated."""
    l1_ratio = model.l1_ratio
    if isinstance(model.penalty, str) and model.penalty == "deprecated":
        if l1_ratio is None:
            warnings.warn(
                "'l1_ratio=None' was deprecated in scikit-learn 1.8 and ends with 1.10; use a number from 0 to 1.",
                FutureWarning,
                stacklevel=4,
            )
            l1_ratio = 0.0
        return strength_of(model.C), float(l1_ratio)
    warnings.warn(
        "'penalty' was deprecated in scikit-learn 1.8 and goes with 1.10; leave it out and use l1_ratio=0 for 'l2', "
        "l1_ratio=1 for 'l1', a number between for 'elasticnet', and C=np.inf for None.",
        FutureWarning,
        stacklevel=4,
    )
    return _strength_of_penalty(model, l1_ratio)


def _strength_of_penalty(model, l1_ratio):
    if model.penalty is None:
        if model.C != 1.0:
            warnings.warn("penalty=None: C and l1_ratio are not used.", stacklevel=5)
        return 0.0, 0.0
    if model.penalty == "elasticnet":
        if l1_ratio is None:
            raise ValueError("l1_ratio must be specified when penalty is elasticnet; got None, expected 0 to 1.")
        ratio = float(l1_ratio)
    else:
        ratio = 1.0 if model.penalty == "l1" else 0.0
        if l1_ratio not in (None, ratio):
            warnings.warn(
                f"penalty={model.penalty!r} and l1_ratio={l1_ratio!r} disagree and penalty counts; use l1_ratio alone.",
                stacklevel=5,
            )
    return strength_of(model.C), ratio


def check_solver(solver, strength, l1_ratio, dual):
    """ValueError where a solver of that name lacks what the penalty needs."""
    name = None if strength == 0.0 else "l2" if l1_ratio == 0.0 else "l1" if l1_ratio == 1.0 else "elasticnet"
    if name in ("l1", "elasticnet") and solver not in _PROXIMAL:
        refuse_without_proximal_step(solver, name, "'auto' or 'saga'")
    if dual and solver != "liblinear":
        raise ValueError(f"Solver {solver} supports only dual=False, got dual={dual}; use 'liblinear' or dual=False.")
    if solver == "liblinear" and name in (None, "elasticnet"):
        raise ValueError(
            f"solver: 'liblinear' has no step for the penalty {name!r}; expected l1_ratio 0 or 1 and a finite C, or "
            "solver='auto'."
        )


def refuse_without_proximal_step(solver, penalty, others):
    """ValueError that a solver has none, which the penalty needs; `others` have."""
    raise ValueError(
        f"solver: {solver!r} supports only the L2 penalty or none: it has no proximal step, which the penalty "
        f"{penalty!r} needs; expected {others} (or l1_ratio=0)."
    )
