import json
import sys
import zlib
from base64 import b64decode
from dataclasses import asdict, replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from aerialseg.errors import AerialsegError, CheckpointError, ConfigError
from aerialseg.export.certificate import BOUNDS, SIZES
from aerialseg.export.compared_images import ComparedImages, generated_scenes
from aerialseg.export.model_export import Comparison, export_program
from aerialseg.inference import opened_network
from aerialseg.inference.predictor import Predictor
from aerialseg.inference.probes import Probe
from aerialseg.storage.checkpoints import read_checkpoint, read_description
from helpers.exported_models import (
    export_small,
    register,
    sure_network,
    with_properties,
    write_small,
)

ANY = replace(BOUNDS["int8"], argmax_agreement=0.01)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint, and the models that were exported from it."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        register(patch)
        write_small(folder / "best.ckpt")
        export_small(folder / "best.ckpt", folder / "model.onnx")
    return folder


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    register(monkeypatch)


@pytest.fixture
def session(folder):
    return onnxruntime.InferenceSession(folder / "model.onnx")


@pytest.fixture
def properties(session):
    return session.get_modelmeta().custom_metadata_map


def scene(index=0):
    return generated_scenes(3).load(index)[0]


@pytest.mark.parametrize("shape", [(1, 97, 131), (3, 64, 64), (1, 33, 200), (2, 31, 17), (1, 5, 3)])
def test_logits_of_any_batch_and_size_are_those_of_the_network(session, shape):
    count, height, width = shape
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(count, 3, height, width, generator=generator)
    with torch.no_grad():
        wanted = sure_network()(images)["out"]
    (found,) = session.run(["logits"], {"images": images.numpy()})
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4)


def test_the_file_is_one_and_passes_the_checker(folder):
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    assert {path.name for path in folder.glob("model*")} == {"model.onnx"}
    (given,) = model.graph.input
    sizes = [d.dim_param or d.dim_value for d in given.type.tensor_type.shape.dim]
    assert sizes == ["batch", 3, "height", "width"]


def test_nothing_in_the_file_names_this_machine(folder):
    content = (folder / "model.onnx").read_bytes()
    assert b".py" not in content
    assert b"site-packages" not in content


def test_it_describes_itself_as_its_checkpoint_does(folder, properties):
    path = folder / "best.ckpt"
    description = read_description(read_checkpoint(path), path)
    assert json.loads(properties["aerialseg"]) == {"format": 1, **asdict(description)}
    assert Predictor(folder / "model.onnx").description == description


def test_probes_can_be_checked_without_this_project(session, properties):
    about = json.loads(properties["aerialseg"])
    probes = json.loads(properties["aerialseg.probes"])
    assert [probe["shape"] for probe in probes] == [[97, 131, 3], [64, 96, 3]]
    for probe in probes:
        shape = probe["shape"]
        image, mask = (
            np.frombuffer(zlib.decompress(b64decode(probe[key])), np.uint8)
            for key in ("image", "mask")
        )
        scaled = (image.reshape(shape) / 255 - about["mean"]) / about["std"]
        batch = scaled.transpose(2, 0, 1)[None].astype(np.float32)
        (logits,) = session.run(None, {"images": batch})
        agree = (logits[0].argmax(0) == mask.reshape(shape[:2])).mean()
        assert agree > 0.999  # logits of this network have the size of the image
        assert len(np.unique(mask)) > 1


@pytest.mark.parametrize("size", [None, 48, 130])
def test_masks_are_those_of_the_checkpoint(folder, size):
    ours = Predictor(folder / "best.ckpt", image_min_size=size)
    theirs = Predictor(folder / "model.onnx", image_min_size=size)
    assert theirs.image_min_size == ours.image_min_size
    assert theirs.classes == ours.classes
    mask = ours.predict(scene())
    assert np.array_equal(theirs.predict(scene()), mask)
    assert np.bincount(mask.ravel(), minlength=3).min() > 100, "else the comparison says little"


def test_the_certificate_says_what_was_measured(folder, properties):
    found = json.loads(properties["aerialseg.certificate"])
    assert found["precision"] == "float32"
    assert len(found["sizes"]) == len(SIZES)
    assert found["images"]["argmax_agreement"] == 1
    assert found["source"] == "2 generated scenes"
    assert (found["miou_torch"], found["miou_exported"], found["labelled"]) == (1, 1, False)
    ours, theirs = Predictor(folder / "best.ckpt"), Predictor(folder / "model.onnx")
    wanted = max(
        float((ours.logits(scene(i)) - theirs.logits(scene(i))).abs().max()) for i in (0, 3)
    )
    assert found["images"]["max_logit_difference"] == pytest.approx(wanted, rel=1e-6)


def test_miou_is_that_of_the_labels(folder, tmp_path):
    predictor = Predictor(folder / "best.ckpt")
    mask = predictor.predict(scene())
    labels = np.where(mask == 2, 0, mask).astype(np.uint8)
    labels[:10] = 255
    images = ComparedImages("image", 1, lambda _: (scene(), labels), are_labelled=True)
    done = export_small(folder / "best.ckpt", tmp_path / "m.onnx", images)
    kept = labels != 255
    overlaps = []
    for index in range(3):
        ours, theirs = mask[kept] == index, labels[kept] == index
        overlaps.append((ours & theirs).sum() / (ours | theirs).sum())
    assert done.certificate.miou_torch == pytest.approx(np.mean(overlaps), abs=1e-9)
    assert done.certificate.miou_difference == 0
    assert done.certificate.labelled


def test_a_model_that_misses_its_bound_is_not_written(folder, tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    path.write_text("what was here before")
    real = nn.Module.half

    def wrong(network):
        network.classifier.bias.data[0] += 30
        return real(network)

    monkeypatch.setattr(nn.Module, "half", wrong)
    with pytest.raises(AerialsegError) as error:
        export_small(folder / "best.ckpt", path, precision="float16")
    (line,) = error.value.problems
    assert "the float16 model misses its bound" in line
    assert "wanted 99.00%" in line
    assert "nothing was written" in line
    assert path.read_text() == "what was here before"
    assert [each.name for each in tmp_path.iterdir()] == ["model.onnx"]


def test_a_float32_model_is_held_to_its_logits(folder, tmp_path):
    tight = replace(BOUNDS["float32"], logit_difference=1e-12)
    with pytest.raises(AerialsegError, match=r"logits differ by .* at 1x64x64, wanted at most"):
        export_small(folder / "best.ckpt", tmp_path / "m.onnx", bounds=tight)
    assert list(tmp_path.iterdir()) == []


def test_float16_has_weights_of_half_the_size(folder, tmp_path):
    done = export_small(folder / "best.ckpt", tmp_path / "m.onnx", precision="float16")
    kinds = {tensor.data_type for tensor in onnx.load(done.path).graph.initializer}
    assert onnx.TensorProto.FLOAT16 in kinds
    assert onnx.TensorProto.FLOAT not in kinds
    mask, half = (Predictor(path).predict(scene()) for path in (folder / "best.ckpt", done.path))
    assert (mask == half).mean() > 0.99


def test_int8_is_tried_per_tensor_and_per_channel(folder, tmp_path):
    done = export_small(folder / "best.ckpt", tmp_path / "m.onnx", precision="int8", bounds=ANY)
    assert {way for way, _ in done.tried} == {"per tensor", "per channel"}
    first, second = (certificate.images.argmax_agreement for _, certificate in done.tried)
    assert second >= first, "the better one is written"
    model = onnx.load(done.path)
    assert "QuantizeLinear" in {node.op_type for node in model.graph.node}
    found = {entry.key: entry.value for entry in model.metadata_props}
    certificate = json.loads(found["aerialseg.certificate"])
    assert certificate["quantisation"] == done.tried[-1][0]
    mask, small = (Predictor(path).predict(scene()) for path in (folder / "best.ckpt", done.path))
    assert (mask == small).mean() > 0.8


def test_nodes_that_int8_spoils_stay_in_float(tmp_path):
    network = sure_network()
    with torch.no_grad():  # one channel a thousand times larger leaves the others few levels
        stem, body = network.stem[0], network.body[0]
        scale = torch.ones(6)
        scale[0] = 1000
        norm = network.stem[1]
        norm.weight *= scale
        norm.bias *= scale
        body.weight /= scale[None, :, None, None]
        assert stem.weight.shape[0] == 6
    write_small(tmp_path / "best.ckpt", network)
    bounds = replace(BOUNDS["int8"], argmax_agreement=0.93)
    done = export_small(
        tmp_path / "best.ckpt", tmp_path / "m.onnx", precision="int8", bounds=bounds
    )
    assert [way for way, _ in done.tried][2:], "neither way alone is good enough"
    assert "in float" in done.tried[-1][0]
    assert done.certificate.images.argmax_agreement >= 0.93


def test_a_program_of_torch_holds_the_same(folder, tmp_path):
    path, comparison = tmp_path / "model.pt2", Comparison(generated_scenes(3), BOUNDS["float32"])
    export_program(Predictor(folder / "best.ckpt"), path, comparison)
    assert [each.name for each in tmp_path.iterdir()] == ["model.pt2"]
    texts = {"aerialseg.json": "", "aerialseg.certificate.json": ""}
    module = torch.export.load(path, extra_files=texts).module()
    assert json.loads(texts["aerialseg.json"])["image_min_size"] == 24
    assert json.loads(texts["aerialseg.certificate.json"])["precision"] == "float32"
    given = torch.randn(3, 3, 45, 67)
    with torch.no_grad():
        torch.testing.assert_close(module(given), sure_network()(given)["out"])


def test_other_masks_on_a_machine_are_refused(folder, tmp_path, properties):
    probes = json.loads(properties["aerialseg.probes"])
    right = Probe.from_mapping(probes[1])
    wrong = Probe(right.image, (right.mask + 1) % 3)
    changed = json.dumps([probes[0], wrong.to_mapping()])
    path = with_properties(
        folder / "model.onnx", tmp_path / "m.onnx", **{"aerialseg.probes": changed}
    )
    with pytest.raises(CheckpointError) as error:
        Predictor(path, cache_dir=tmp_path)
    (line,) = error.value.problems
    assert "gives another mask on this machine than where it was exported: 0.0% of" in line
    assert "probe 2 of 2" in line
    with pytest.raises(CheckpointError):  # a wrong result is not remembered
        Predictor(path, cache_dir=tmp_path)


def test_probes_are_checked_once_on_a_machine(folder, tmp_path, monkeypatch):
    checked = []
    monkeypatch.setattr(opened_network, "_check_probes", lambda path, *_: checked.append(path))
    path = folder / "model.onnx"
    for _ in range(3):
        Predictor(path, cache_dir=tmp_path)
    assert len(checked) == 1
    monkeypatch.setattr("platform.node", lambda: "another machine")
    Predictor(path, cache_dir=tmp_path)
    assert len(checked) == 2
    other = with_properties(path, tmp_path / "m.onnx", note="another file")
    Predictor(other, cache_dir=tmp_path)
    assert len(checked) == 3
    Predictor(path)
    assert len(checked) == 4, "without a place to remember it is checked each time"


def test_an_altered_file_is_refused_in_one_line(folder, tmp_path):
    content = bytearray((folder / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 4
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="was altered since it was exported") as error:
        Predictor(path)
    assert len(error.value.problems) == 1


def test_metadata_of_others_are_refused(folder, tmp_path):
    path = with_properties(
        folder / "model.onnx", tmp_path / "m.onnx", **{"aerialseg.certificate": "[1"}
    )
    with pytest.raises(CheckpointError, match="its metadata are not those that task=export writes"):
        Predictor(path)


def test_without_the_packages_one_line_says_how_to_get_them(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    wanted = r"onnxruntime is not installed; run `pip install 'aerialseg\[export\]'`"
    with pytest.raises(ConfigError, match=wanted):
        Predictor(folder / "model.onnx")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ConfigError, match="onnxscript is not installed"):
        export_small(folder / "best.ckpt", tmp_path / "m.onnx")


def test_other_bands_are_exported_and_probed(tmp_path):
    network = sure_network()
    network.stem[0] = nn.Conv2d(5, 6, 3, padding=1)
    facts = {"bands": [1, 2, 3, 4, 5], "mean": [0.5] * 5, "std": [0.2] * 5}
    write_small(tmp_path / "best.ckpt", network.eval(), **facts)
    export_small(tmp_path / "best.ckpt", tmp_path / "m.onnx", generated_scenes(5).evenly(2))
    image = np.dstack([scene(), scene()[..., :2]])
    ours, theirs = (Predictor(tmp_path / name) for name in ("best.ckpt", "m.onnx"))
    assert np.array_equal(ours.predict(image), theirs.predict(image))
