"""A file from a stranger is a valid model or a ModelFormatError, in memory and time bounded by its size."""

import json
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mlwright import ModelFormatError, deploy, io
from mlwright.testing.foreign_files import attempt_import, mutant
from mlwright.testing.model_files import attempt, mutant_model

MODELS = Path(__file__).parent / "models"
ALL = sorted(file.name for file in MODELS.iterdir() if file.suffix != ".npz")
#: One of each kind, the smallest: small files are damaged more thoroughly in the same time.
FEW = ["lgb-gamma-constant.txt", "lgb-binary-categories.txt", "xgb-categories.json", "xgb-categories.ubj"]
each_name = pytest.mark.parametrize("name", ALL)
X = np.array([[0.0, -0.0, np.nan, 3.0, 1.0], [1.5, -2.0, 0.25, 39.0, np.nan], [-1e-36, np.inf, 7.0, 1e9, -1.0]])


@cache
def content(name):
    return (MODELS / name).read_bytes()


@pytest.mark.parametrize("name", FEW)
def test_truncated_anywhere(name):
    data = content(name)
    for end in range(0, len(data), 1 if len(data) < 4000 else 17):
        try:
            deploy.from_bytes(data[:end])
        except ModelFormatError:
            continue
        assert b"end of trees" in data[:end]  # what follows in a text is for people


@each_name
def test_mutants(name):
    valid = sum(attempt_import(mutant(content(name), seed), X) for seed in range(60))
    assert valid > 0 or "refused" in name


def seeds():
    first = int(os.environ.get("MLWRIGHT_SEED", "1000000"))
    return range(first, first + int(os.environ.get("MLWRIGHT_FUZZ", "2000")))


@pytest.mark.slow
@each_name
def test_fuzz(name):
    """`make fuzz COUNT=...` sets how many damaged files each model makes; MLWRIGHT_SEED where the numbers begin."""
    for seed in seeds():
        try:
            attempt_import(mutant(content(name), seed, n_changes=5), X)
        except Exception as error:
            raise AssertionError(f"mutant {seed} of {name}") from error


@cache
def own_file(name):
    """The model as ``.mlw`` file, without names of features: the rows have none."""
    model = deploy.from_bytes(content(name))
    vars(model).pop("feature_names_in_", None)
    return io.dumps(model)


@each_name
def test_mutants_of_the_model_file(name):
    """The same models as ``.mlw`` files."""
    if "refused" not in name:
        data = own_file(name)
        assert sum(attempt(mutant_model(data, seed), X) for seed in range(40)) > 0


@pytest.mark.slow
@each_name
def test_fuzz_of_the_model_file(name):
    if "refused" in name:
        return
    data = own_file(name)
    for seed in seeds():
        try:
            attempt(mutant_model(data, seed, n_changes=5), X)
        except Exception as error:
            raise AssertionError(f"mutant {seed} of {name} as .mlw") from error


def test_a_model_of_one_class_predicts_no_other():
    """Whatever its trees say."""
    model = deploy.from_bytes(content("xgb-binary.json"))
    vars(model).pop("feature_names_in_", None)
    assert set(model.predict(X)) == {0, 1}
    model.classes_ = model.classes_[:1]
    model = io.loads(io.dumps(model))
    assert set(model.predict(X)) == {0}
    assert model.predict_proba(X).shape == (3, 2)


HOSTILE = {
    "nothing": b"",
    "braces": b"{" * 100_000,
    "brackets": b'{"learner":' + b"[" * 1_000_000,
    "objects": b'{"a":' * 500_000,
    "UBJSON brackets": b"{" + b"i\x01a[" + b"[" * 500_000,
    "UBJSON objects": b"{" + b"i\x01a{" * 300_000,
    "UBJSON array of nothing": b"{i\x01a[$Z#L\x7f\xff\xff\xff\xff\xff\xff\xff}",
    "UBJSON array of no type": b"{i\x01a[$N#L\x00\x00\x00\xff\xff\xff\xff\xff}",
    "UBJSON huge array": b"{i\x01a[$d#L\x00\x00\x00\xff\xff\xff\xff\xff}",
    "UBJSON huge list": b"{i\x01a[#L\x00\x00\x00\xff\xff\xff\xff\xff}",
    "UBJSON negative length": b"{i\x01a[$d#i\xff}",
    "UBJSON length that is a string": b"{i\x01aSS\x01b}",
    "UBJSON same key twice": b"{i\x01ai\x01i\x01ai\x01}",
    "UBJSON no-ops": b"{i\x01a" + b"N" * 1_000_000 + b"}",
    "UBJSON key with no text": b"{i\x01\xffi\x01}",
    "JSON same key twice": b'{"a":1,"a":2}',
    "JSON long integer": b'{"learner":' + b"9" * 100_000 + b"}",
    "JSON UTF-16": '{"learner":{}}'.encode("utf-16"),
    "tree only": b"tree\n",
    "many lines": b"tree\n" + b"a\n" * 500_000 + b"end of trees\n",
    "many trees": b"tree\nversion=v4\n" + b"\nTree=0" * 300_000 + b"\nend of trees\n",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files(data):
    start = time.process_time()
    with pytest.raises(ModelFormatError):
        deploy.from_bytes(data)
    assert time.process_time() - start < 5


_BUDGET = """
import resource, sys
import numpy, mlwright
from mlwright import deploy
deploy.from_file(sys.argv[1])
now = 1024 * int(open("/proc/self/status").read().split("VmSize:")[1].split()[0])
resource.setrlimit(resource.RLIMIT_AS, (now + (400 << 20),) * 2)
for path in sys.argv[2:]:
    try:
        deploy.from_file(path)
        print("valid")
    except mlwright.ModelFormatError as error:
        print("refused:", str(error)[:60])
"""


def test_hostile_files_under_a_memory_limit(tmp_path):
    paths = []
    for i, data in enumerate([*HOSTILE.values(), many_large_categories(), *many_features()]):
        paths.append(tmp_path / f"{i}.model")
        paths[-1].write_bytes(data)
    run = [sys.executable, "-c", _BUDGET, MODELS / FEW[2], *paths]
    result = subprocess.run(run, capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.split().count("refused:") == len(paths) - 2
    assert result.stdout.split().count("valid") == 2


def many_features():
    """Two files of very many features, one of which asks for the last of them."""
    for last in (0, (1 << 31) - 2):
        document = json.loads(content("xgb-regression.json"))
        document["learner"]["learner_model_param"]["num_feature"] = str((1 << 31) - 1)
        document["learner"]["gradient_booster"]["model"]["trees"][0]["split_indices"][0] = last
        yield json.dumps(document).encode()


def many_large_categories():
    """A file that asks for 2 MB of bits with every number."""
    document = json.loads(content("xgb-categories.json"))
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        n = len(tree["categories_nodes"])
        tree["categories"] = [(1 << 24) - 1] * 1000 * n
        tree["categories_sizes"] = [1000] * n
        tree["categories_segments"] = list(range(0, 1000 * n, 1000))
    trees = document["learner"]["gradient_booster"]["model"]["trees"]
    many = trees * 40
    document["learner"]["gradient_booster"]["model"].update(trees=many, tree_info=[0] * len(many), iteration_indptr=[])
    return json.dumps(document).encode()


def edited_text(name, **lines):
    """A text model with lines of its first tree, or its header, replaced."""
    text = content(name).decode()
    for key, value in lines.items():
        old = next(line for line in text.splitlines() if line.startswith(f"{key}="))
        text = text.replace(old, f"{key}={value}", 1)
    return text.encode()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ({"version": "v2"}, "has version 'v2'; expected v3 or v4"),
        ({"objective": "binary sigmoid:-1"}, "has sigmoid -1.0; expected a positive number"),
        ({"objective": "brand_new"}, "its objective 'brand_new' with 1 trees an iteration is not known"),
        ({"max_feature_idx": "1000000000"}, "has 5 feature names, its max_feature_idx says 1000000001"),
        ({"num_leaves": "1000000000"}, "tree 0 has 1000000000 leaves"),
        ({"num_leaves": "3"}, "tree 0 has 11 values of leaf_value; expected 3"),
        ({"split_feature": "0 1 2 3 4 0 1 2 3 5"}, "tree 0 cuts a feature beyond the 5 there are"),
        ({"split_feature": "0 1 2 3 4 0 1 2 3 1.5"}, "split_feature: holds text that is no number"),
        ({"left_child": "0 1 2 3 4 5 6 7 8 9"}, "node 0 has two parents|child is out of range"),
        ({"left_child": "99 -1 -2 -3 -4 -5 -6 -7 -8 -9"}, "a node's child is out of range"),
        ({"leaf_value": "nan 1 1 1 1 1 1 1 1 1 1"}, "leaf_value: holds a number that is not finite"),
        ({"threshold": "nan 1 1 1 1 1 1 1 1 1"}, "threshold: holds a number that is not finite"),
        ({"decision_type": "12 2 2 2 2 2 2 2 2 2"}, "has a decision_type that is none"),
        ({"decision_type": "1 1 1 1 1 1 1 1 1 1"}, "tree 0 lacks cat_boundaries|has 0 values"),
        ({"num_tree_per_iteration": "4"}, "has 6 trees for 4 an iteration"),
    ],
)
def test_the_message_says_what_is_wrong_with_a_text(lines, message):
    with pytest.raises(ModelFormatError, match=message):
        deploy.from_bytes(edited_text("lgb-regression-nan.txt", **lines))


def edited_json(path, value):
    """A JSON model with one value replaced."""
    document = json.loads(content("xgb-regression.json"))
    *folders, last = path.split("/")
    node = document
    for folder in folders:
        node = node[int(folder) if folder.isdigit() else folder]
    node[int(last) if last.isdigit() else last] = value
    return json.dumps(document).encode()


TREE = "learner/gradient_booster/model/trees/0"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("learner", [], "got a list for learner"),
        ("learner/objective/name", "brand:new", "its objective 'brand:new' is not known"),
        ("learner/gradient_booster/name", "gblinear", "its booster is 'gblinear'"),
        ("learner/learner_model_param/num_feature", "0", "has 0 features"),
        ("learner/learner_model_param/num_class", "99999999", "99999999 outputs"),
        ("learner/learner_model_param/base_score", "[0.5,0.5]", "has 2 base scores for 1 outputs"),
        ("learner/learner_model_param/base_score", "nan", "base_score: holds a number that is not finite"),
        ("learner/learner_model_param/base_score", "-1e308", "is beyond what its objective allows"),
        ("learner/feature_names", ["a"], "has 1 feature names for 5 features"),
        ("learner/gradient_booster/model/tree_info", [7] * 6, "a tree adds to output 7 of 1"),
        (f"{TREE}/left_children/0", 0, "node 0 has two parents"),
        (f"{TREE}/left_children/0", 10**6, "a node's child is out of range"),
        (f"{TREE}/right_children/0", -1, "a node's child is out of range"),
        (f"{TREE}/split_indices/0", 5, "cuts a feature beyond the 5 there are"),
        (f"{TREE}/split_indices/0", -7, "cuts a feature beyond the 5 there are"),
        (f"{TREE}/split_conditions/0", "a", "split_conditions: holds what is no number"),
        (f"{TREE}/split_conditions/0", float("nan"), "split_conditions: holds a number that is not finite"),
        (f"{TREE}/split_conditions/0", 1e300, "split_conditions: holds a number that is not finite"),
        (f"{TREE}/split_conditions", [[1.0]], "split_conditions: got 2 dimensions; expected"),
        (f"{TREE}/split_indices/0", 1 << 70, "split_indices: holds what is no number in range"),
        (f"{TREE}/tree_param/num_nodes", "3", "not as many as it says"),
        (f"{TREE}/tree_param/size_leaf_vector", "3", "its leaves are vectors"),
    ],
)
def test_the_message_says_what_is_wrong_with_json(path, value, message):
    with pytest.raises(ModelFormatError, match=message):
        deploy.from_bytes(edited_json(path, value))


def test_labels_that_do_not_exclude_each_other_are_refused():
    document = json.loads(content("xgb-targets.json"))
    document["learner"]["objective"]["name"] = "binary:logistic"
    with pytest.raises(deploy.UnsupportedModelError, match="has 3 targets of binary:logistic, that is, labels that do"):
        deploy.from_bytes(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"binf\x00\x00", "an XGBoost model in the binary format of versions before 2; save it as .ubj or .json"),
        (b"\x80\x04\x95", "a pickle; load it where you trust it and use from_model"),
        (b"CBM1\x00", "a CatBoost model, which is not supported"),
        (b"hello", "is neither a text model of LightGBM nor a JSON or UBJSON model of XGBoost"),
    ],
)
def test_other_files_are_named(data, message):
    with pytest.raises(ModelFormatError, match=message):
        deploy.from_bytes(data)


def test_a_mlw_file_is_told_from_a_foreign_one():
    with pytest.raises(ModelFormatError, match=r"is maybe a .mlw file; use mlwright.load"):
        deploy.from_bytes(io.dumps(deploy.from_bytes(content("xgb-regression.ubj"))))
    with pytest.raises(ModelFormatError, match="is no regular file"):
        deploy.from_file("/dev/zero")
    with pytest.raises(FileNotFoundError):
        deploy.from_file(MODELS / "absent.txt")


def test_nodes_in_another_order_are_the_same_model():
    """XGBoost may give a child a lower number than its parent, and leave deleted nodes in their place."""
    document = json.loads(content("xgb-regression.json"))
    tree = document["learner"]["gradient_booster"]["model"]["trees"][0]
    n = len(tree["left_children"])
    order = [0, *range(n - 1, 0, -1)]  # new place of each node
    for key, column in tree.items():
        if isinstance(column, list) and len(column) == n:
            moved = [0] * n
            for i, value in enumerate(column):
                is_child = key in ("left_children", "right_children") and value >= 0
                moved[order[i]] = order[value] if is_child else value
            tree[key] = [*moved, -1 if "children" in key else 0]  # and a node that nothing leads to
    tree["tree_param"]["num_nodes"] = str(n + 1)
    again = deploy.from_bytes(json.dumps(document).encode())
    original = deploy.from_bytes(content("xgb-regression.json"))
    assert len(again._trees["feature"]) == len(original._trees["feature"])
    rows = np.random.default_rng(0).standard_normal((200, 5))
    assert np.array_equal(again.predict(rows), original.predict(rows))
