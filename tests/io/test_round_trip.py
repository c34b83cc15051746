"""What is saved comes back: values, types, memory order; the same bytes for the same model; whole files only."""

import os

import numpy as np
import pytest
from safetensors import safe_open
from sklearn.pipeline import Pipeline

import mlwright
from mlwright import io


def same(a, b):
    """Equal to the bit and in type, all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return (
            a.dtype == b.dtype
            and a.shape == b.shape
            and a.flags.f_contiguous == b.flags.f_contiguous
            and (a.tolist() == b.tolist() if a.dtype == object else a.tobytes() == b.tobytes())
        )
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(same, a.values(), b.values()))
    if isinstance(a, (set, frozenset)):  # equal sets may list their items in different orders
        return len(a) == len(b) and all(map(same, sorted(a), sorted(b)))
    if hasattr(a, "get_params"):
        return vars(a).keys() == vars(b).keys() and all(same(value, vars(b)[key]) for key, value in vars(a).items())
    return repr(a) == repr(b)


def test_every_value_comes_back_with_its_type_and_bits(toy):
    assert same(toy, io.loads(io.dumps(toy)))


def test_an_unfitted_model_comes_back_unfitted(toy_class):
    again = io.loads(io.dumps(toy_class(alpha=2)))
    assert vars(again) == {"alpha": 2, "depth": None}


def test_same_model_same_bytes_and_loading_changes_nothing(toy):
    first = io.dumps(toy)
    assert io.dumps(toy) == first
    assert io.dumps(io.loads(first)) == first


def test_loaded_arrays_can_be_written_and_belong_to_nobody_else(toy):
    data = bytearray(io.dumps(toy))
    again = io.loads(data)
    data[:] = bytes(len(data))
    again.coef_ += 1
    assert same(again.coef_, toy.coef_ + 1)


@pytest.mark.parametrize("mmap", [False, True])
def test_files(toy, tmp_path, mmap):
    path = tmp_path / "toy.mlw"
    mlwright.save(toy, path)
    assert path.read_bytes() == io.dumps(toy)
    again = mlwright.load(str(path), mmap=mmap)
    assert same(again, toy)
    assert again.coef_.flags.writeable is not mmap
    assert all(value.ctypes.data % 64 == 0 for value in (again.edges_, again.flags_, again.coef_))


def test_save_replaces_a_file_whole_and_leaves_nothing_beside_it(toy, toy_class, tmp_path):
    path = tmp_path / "toy.mlw"
    mlwright.save(toy, path)
    before = path.read_bytes()
    broken = toy_class().fit(np.zeros((2, 2)))
    broken.coef_ = np.array([np.nan, 0.0])
    with pytest.raises(ValueError, match=r"save: coef_: got a number that is not finite"):
        mlwright.save(broken, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["toy.mlw"]


def test_save_writes_through_a_link_and_refuses_what_is_no_file(toy, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real.mlw")
    mlwright.save(toy, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert same(mlwright.load(tmp_path / "real.mlw"), toy)
    with pytest.raises(ValueError, match="no regular file"):
        mlwright.save(toy, tmp_path)


def test_a_new_file_gets_the_usual_permissions(toy, tmp_path):
    mask = os.umask(0o027)
    try:
        mlwright.save(toy, tmp_path / "toy.mlw")
    finally:
        os.umask(mask)
    assert (tmp_path / "toy.mlw").stat().st_mode & 0o777 == 0o640


def test_pipelines_nest(toy, toy_class):
    inner = Pipeline([("skip", "passthrough"), ("toy", toy)], verbose=True)
    model = Pipeline([("inner", inner), ("none", None), ("last", toy_class())])
    again = io.loads(io.dumps(model))
    assert [name for name, _ in again.steps] == ["inner", "none", "last"]
    assert same(again["inner"]["toy"], toy)
    assert again["inner"].verbose is True


def test_set_output_is_kept(toy):
    toy.get_feature_names_out = lambda: None  # what makes set_output available; an attribute no file holds
    with pytest.raises(ValueError, match="'get_feature_names_out', which its declaration does not name"):
        io.dumps(toy)
    del toy.get_feature_names_out
    toy._sklearn_output_config = {"transform": "pandas"}
    assert io.loads(io.dumps(toy))._sklearn_output_config == {"transform": "pandas"}


def test_the_safetensors_package_opens_it(toy, tmp_path):
    path = tmp_path / "toy.mlw"
    mlwright.save(toy, path)
    with safe_open(path, framework="numpy") as file:
        assert file.metadata()["format"] == "mlwright"
        assert file.get_tensor("edges_").tolist() == toy.edges_.tolist()
        assert file.get_tensor("parts_.0.flags_").tolist() == toy.parts_[0].flags_.tolist()
        assert set(io.describe(path)["tensors"]) <= set(file.keys())


def test_describe_says_what_is_in_it_without_building(toy, tmp_path, monkeypatch):
    path = tmp_path / "toy.mlw"
    mlwright.save(toy, path)
    monkeypatch.setattr(type(toy), "__init__", None)
    said = io.describe(path)
    assert said["model"]["class"] == "tests.Toy"
    assert said["tensors"]["edges_"] == ("float64", (5,))
    assert said["n_bytes"] == path.stat().st_size
    assert said["written_by"] == f"mlwright {mlwright.__version__}"
