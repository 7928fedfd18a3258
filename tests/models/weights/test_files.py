import os
import pickle
import socket
import urllib.error
from hashlib import sha256
from pathlib import Path

import pytest
import torch

from aerialseg.errors import CheckpointError, ConfigError
from aerialseg.models import networks
from aerialseg.models.networks.protocol import published_weights
from aerialseg.models.weights.files import fetch, read_tensors
from aerialseg.models.weights.sources import WeightSource, find_source
from aerialseg.storage.sealed_tensors import load_safely

TENSORS = {"weight": torch.arange(6.0).reshape(2, 3), "count": torch.tensor(7)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "given.pth"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    return tmp_path / "hub" / "checkpoints"


def error_line(call, *arguments, **keywords):
    with pytest.raises(CheckpointError) as caught:
        call(*arguments, **keywords)
    (line,) = caught.value.problems
    assert "\n" not in line
    return line


# Reading


def test_tensors_are_read_back(path):
    torch.save(TENSORS, path)
    read = read_tensors(path)
    assert set(read) == set(TENSORS)
    assert all(torch.equal(read[name], TENSORS[name]) for name in TENSORS)


def test_safetensors_are_read_back(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    path = tmp_path / "given.safetensors"
    safetensors.save_file(TENSORS, path)
    assert torch.equal(read_tensors(path)["weight"], TENSORS["weight"])
    path.write_bytes(path.read_bytes()[:40])
    assert "is damaged or cut off" in error_line(read_tensors, path)


class Trap:
    """Creates a folder when unpickled without restrictions."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("write", ["torch.save", "pickle.dump"])
def test_code_in_a_file_is_refused_and_not_run(path, tmp_path, write):
    trap = tmp_path / "sprung"
    if write == "torch.save":
        torch.save({"state_dict": Trap(trap)}, path)
        assert f"holds Python objects ({os.mkdir.__module__}.mkdir)" in error_line(
            read_tensors, path
        )
    else:
        path.write_bytes(pickle.dumps(Trap(trap), protocol=2))
        assert str(path) in error_line(read_tensors, path)
    assert not trap.exists()
    # The trap works: unrestricted loading runs it.
    pickle.loads(pickle.dumps(Trap(trap)))
    assert trap.exists()


def test_a_whole_pickled_network_says_to_save_its_state_dict(path):
    torch.save(torch.nn.Linear(2, 2), path)
    line = error_line(read_tensors, path)
    assert "holds Python objects (torch.nn.modules.linear.Linear)" in line
    assert line.endswith("save its state_dict alone")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "is a web page, not weights"),
        (b"\n <html>", "is a web page, not weights"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "is a Git LFS pointer"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "is not a file that torch.save wrote"),
        (b"learning_rate: 1\n", "is not a file that torch.save wrote"),
    ],
)
def test_other_files_are_named_by_their_format(path, content, reason):
    path.write_bytes(content)
    assert error_line(load_safely, path).startswith(f"{path}: {reason}")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_refused(path, zipped, kept):
    torch.save({"weight": torch.rand(500)}, path, _use_new_zipfile_serialization=zipped)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert (
        "is cut off" in (line := error_line(load_safely, path)) or "is damaged or cut off" in line
    )


def test_a_missing_file_and_a_folder(path, tmp_path):
    assert error_line(load_safely, path) == f"{path}: no such file"
    assert error_line(load_safely, tmp_path).startswith(f"{tmp_path}: is a folder")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([1, 2], "holds a list; wanted tensors by name"),
        ({}, "holds nothing; wanted tensors by name"),
        (torch.ones(2), "holds a Tensor; wanted tensors by name"),
        ({"weight": torch.ones(1), "epoch": 3}, "'epoch' is a int; wanted nothing but tensors"),
    ],
)
def test_a_file_without_named_tensors_is_refused(path, content, reason):
    torch.save(content, path)
    assert error_line(read_tensors, path).startswith(f"{path}: {reason}")


# Finding and downloading


def source_of(content, *, url="https://weights.invalid/given.pth", digits=8):
    return WeightSource("given.pth", url, sha256(content).hexdigest()[:digits])


def unreachable(*_):
    raise AssertionError("must not be asked for")


@pytest.mark.parametrize("place", ["weights_dir", "hub", "cached"])
def test_an_existing_file_is_not_downloaded(tmp_path, hub, monkeypatch, place):
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    folder = {"weights_dir": tmp_path / "weights", "hub": hub, "cached": tmp_path / "other"}[place]
    folder.mkdir(exist_ok=True)
    path = folder / "given.pth"
    path.write_bytes(b"weights")
    source = source_of(b"weights")
    if place == "cached":
        source = WeightSource("another name", source.url, source.sha256, cached=path)
    assert fetch(source, weights_dir=tmp_path / "weights") == path


@pytest.mark.parametrize("digits", [8, 64])
def test_a_file_with_another_hash_is_refused(tmp_path, hub, digits):
    (tmp_path / "given.pth").write_bytes(b"weights with a flipped bit")
    source = source_of(b"weights", digits=digits)
    line = error_line(fetch, source, weights_dir=tmp_path)
    got = sha256(b"weights with a flipped bit").hexdigest()[:8]
    assert line.startswith(f"{tmp_path / 'given.pth'}: damaged or not the expected file")
    assert f"begins with {got}, wanted {source.sha256[:8]}" in line


def test_a_download_lands_in_weights_dir(tmp_path, hub):
    published = tmp_path / "server" / "given.pth"
    published.parent.mkdir()
    published.write_bytes(b"weights")
    source = source_of(b"weights", url=published.as_uri())
    fetched = fetch(source, weights_dir=tmp_path / "new" / "weights")
    assert fetched == tmp_path / "new" / "weights" / "given.pth"
    assert fetched.read_bytes() == b"weights"


def test_a_download_with_another_hash_leaves_nothing_behind(tmp_path, hub):
    published = tmp_path / "server.pth"
    published.write_bytes(b"a page that asks to log in")
    source = source_of(b"weights", url=published.as_uri())
    line = error_line(fetch, source, weights_dir=tmp_path / "weights")
    assert "invalid hash value" in line
    assert list((tmp_path / "weights").iterdir()) == []


def test_a_failed_download_is_one_line_with_url_hash_and_target(tmp_path, hub, monkeypatch):
    timeouts = []

    def refuse(*_, **__):
        timeouts.append(socket.getdefaulttimeout())
        raise urllib.error.URLError("no route")

    monkeypatch.setattr("torch.hub.urlopen", refuse)
    line = error_line(fetch, source_of(b"weights", digits=64), weights_dir=tmp_path)
    assert line == (
        "given.pth is not on this machine and cannot be downloaded: no route; "
        f"download https://weights.invalid/given.pth (sha256 {sha256(b'weights').hexdigest()}) "
        f"elsewhere and copy it to {tmp_path / 'given.pth'}, "
        "or set model.weights=none or model.weights=FILE"
    )
    assert timeouts == [10]
    assert socket.getdefaulttimeout() is None
    assert "(sha256 begins with " in error_line(fetch, source_of(b"weights"), weights_dir=tmp_path)


# Names


@pytest.fixture(scope="module")
def unet():
    pytest.importorskip("segmentation_models_pytorch")
    return networks.segmentation_models_pytorch(2, architecture="unet", encoder_name="resnet18")


@pytest.mark.parametrize(
    ("architecture", "name", "file_name", "sha256_start", "digits"),
    [
        (
            "deeplabv3_mobilenet_v3_large",
            "COCO_WITH_VOC_LABELS_V1",
            "deeplabv3_mobilenet_v3_large-fc3c493d.pth",
            "fc3c493d68e89cc3",
            64,
        ),
        (
            "deeplabv3_mobilenet_v3_large",
            "MobileNet_V3_Large_Weights.IMAGENET1K_V2",
            "mobilenet_v3_large-5c1a4163.pth",
            "5c1a4163",
            8,
        ),
        (
            "deeplabv3_resnet50",
            "COCO_WITH_VOC_LABELS_V1",
            "deeplabv3_resnet50_coco-cd0a2569.pth",
            "cd0a2569",
            8,
        ),
        (
            "lraspp_mobilenet_v3_large",
            "COCO_WITH_VOC_LABELS_V1",
            "lraspp_mobilenet_v3_large-d234d4ea.pth",
            "d234d4ea",
            8,
        ),
    ],
)
def test_torchvision_names(architecture, name, file_name, sha256_start, digits):
    network = getattr(networks, architecture)(2)
    source = find_source(name, published_weights(network))
    assert source.file_name == file_name
    assert source.url.endswith(f"/{file_name}")
    assert source.sha256.startswith(sha256_start)
    assert len(source.sha256) == digits


def test_encoder_names(unet):
    source = find_source("imagenet", published_weights(unet))
    assert source.file_name == "resnet18.imagenet.safetensors"
    assert source.url.endswith("/model.safetensors")
    assert (source.cached is None) or isinstance(source.cached, Path)


def test_an_unknown_name_lists_the_known_ones(unet):
    mobilenet = networks.deeplabv3_mobilenet_v3_large(2)
    with pytest.raises(ConfigError) as caught:
        find_source("COCO_WITH_VOC_LABELS", published_weights(mobilenet))
    assert caught.value.problems == (
        "model.weights: 'COCO_WITH_VOC_LABELS' is not the name of published weights, nor 'none', "
        "nor a file; did you mean 'COCO_WITH_VOC_LABELS_V1'?",
    )
    with pytest.raises(ConfigError) as caught:
        find_source("voc", published_weights(mobilenet))
    assert caught.value.problems == (
        "model.weights: 'voc' is not the name of published weights, nor 'none', nor a file; known: "
        "COCO_WITH_VOC_LABELS_V1, MobileNet_V3_Large_Weights.IMAGENET1K_V1, "
        "MobileNet_V3_Large_Weights.IMAGENET1K_V2",
    )
    with pytest.raises(ConfigError, match="did you mean 'imagenet'"):
        find_source("imagenot", published_weights(unet))
