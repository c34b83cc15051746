"""Generalized linear models: binary, counts, claims, several classes, penalties chosen by cross-validation, text."""

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem

# Everyone's tolerance is set so that the objective is the same to a millionth.
SETTINGS = {"C": 1.0, "alpha": 1e-4, "tol": 1e-5}


def classes(n: int, p: int, n_classes: int, quick_rows: int):
    return lambda quick: data.classes(quick_rows if quick else n, p, n_classes)


def counts(quick: bool):
    return data.counts(20_000 if quick else 500_000, 100)


def text(quick: bool):
    return data.text(20_000 if quick else 800_000, 47_000)


def policies(target: str):
    return lambda quick: data.policies(20_000 if quick else 600_000, target)


def wide(quick: bool):
    return data.classes(100 if quick else 300, 20_000, 2)


def log_loss(l1_ratio: float = 0.0) -> tuple[Metric, ...]:
    return (Metric("objective", metrics.penalised_log_loss(SETTINGS["C"], l1_ratio), rtol=1e-6),)


def logistic(name: str, title: str, make, goals, **more) -> Problem:
    settings = SETTINGS | more.pop("settings", {})
    metric = more.pop("metrics", log_loss(settings.get("l1_ratio", 0.0)))
    return Problem(
        name=name,
        title=title,
        task=more.pop("task", "logistic"),
        data=make,
        timed=more.pop("timed", "fit"),
        libraries=("mlwright", *goals),
        metrics=metric,
        goals=goals,
        settings=settings,
        warm_up=more.pop("warm_up", False),
        **more,
    )


def insurance(name: str, title: str, target: str, power: float) -> Problem:
    return Problem(
        name=name,
        title=title,
        task="policies",
        data=policies(target),
        timed="fit",
        libraries=("mlwright", "glum", "sklearn"),
        metrics=(Metric("objective", metrics.penalised_deviance(SETTINGS["alpha"], power), rtol=1e-6),),
        goals={"glum": Goal(1.5, 4), "sklearn": Goal(5, 20)},
        settings=SETTINGS | {"power": power},
        rounds=3,
    )


PROBLEMS = (
    logistic(
        "logistic",
        "Logistic regression, 500,000 x 100: fit",
        classes(500_000, 100, 2, 20_000),
        {"sklearn": Goal(2, 5), "glum": Goal(3, 8), "sklearnex": Goal(1.5, 4)},
    ),
    Problem(
        name="poisson",
        title="Poisson regression, 500,000 x 100: fit",
        task="poisson",
        data=counts,
        timed="fit",
        libraries=("mlwright", "sklearn", "glum"),
        metrics=(Metric("objective", metrics.penalised_poisson(SETTINGS["alpha"]), rtol=1e-6),),
        goals={"sklearn": Goal(2, 5), "glum": Goal(3, 8)},
        settings=SETTINGS,
        warm_up=False,
    ),
    insurance(
        "insurance_poisson",
        "Poisson regression of policies, 600,000 x (8 categorical of up to 100 levels + 5 numbers): fit",
        "claims",
        1.0,
    ),
    insurance(
        "insurance_tweedie",
        "Tweedie regression of policies, 600,000 x (8 categorical of up to 100 levels + 5 numbers): fit",
        "premium",
        1.5,
    ),
    logistic(
        "multinomial",
        "Multinomial regression, 100,000 x 100, 10 classes: fit",
        classes(100_000, 100, 10, 5_000),
        {"sklearn": Goal(2, 5)},
    ),
    logistic(
        "multinomial_wide",
        "Multinomial regression, 60,000 x 784, 10 classes: fit",
        classes(60_000, 784, 10, 5_000),
        {"sklearn": Goal(3, 10)},
        settings={"sklearn_solver": "lbfgs"},  # the Hessian has 61 million entries
        rounds=3,
    ),
    logistic(
        "multinomial_elastic_net",
        "Multinomial elastic net, 20,000 x 50, 10 classes: fit",
        classes(20_000, 50, 10, 2_000),
        {"sklearn": Goal(10, 100)},
        task="elastic_net_classes",
        settings={"l1_ratio": 0.5},
        rounds=3,
    ),
    logistic(
        "logistic_cv",
        "LogisticRegressionCV, 100,000 x 50, 10 penalties x 5 folds: fit",
        classes(100_000, 50, 2, 5_000),
        {"sklearn": Goal(6, 20)},
        task="logistic_cv",
        metrics=(Metric("log loss", metrics.log_loss, rtol=1e-4),),
        rounds=3,
    ),
    logistic(
        "logistic_cv_wide",
        "LogisticRegressionCV, 300 x 20,000, 10 penalties x 5 folds: fit",
        wide,
        {"sklearn": Goal(30, 200)},
        task="logistic_cv",
        metrics=(Metric("log loss", metrics.log_loss, rtol=1e-3),),
        rounds=9,
    ),
    logistic(
        "logistic_text",
        "Logistic regression of sparse text, 800,000 x 47,000: fit",
        text,
        {"sklearn": Goal(2, 6)},
        settings={"sklearn_solver": "newton-cg"},  # lbfgs takes twice as long and ends a four-thousandth off
        rounds=3,
    ),
    logistic(
        "logistic_small",
        "Logistic regression, 500 x 10: fit + predict",
        classes(500, 10, 2, 500),
        {"sklearn": Goal(2, 6)},
        timed="fit_predict",
        rounds=15,
        warm_up=True,
    ),
)
