from hashlib import sha256

import onnx
import pytest
from onnx import TensorProto, helper

from aerialseg.errors import CheckpointError
from aerialseg.storage.checkpoints import read_checkpoint
from aerialseg.storage.model_seal import check_seal, sealed
from aerialseg.storage.run_folders import RunFolder


@pytest.fixture
def model():
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [
        helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])
    ])  # fmt: skip
    made = helper.make_model(graph)
    helper.set_model_props(made, {"note": "kept"})
    return made


@pytest.fixture
def path(tmp_path, model):
    path = tmp_path / "model.onnx"
    path.write_bytes(sealed(model.SerializeToString()))
    return path


def test_readers_of_onnx_see_the_seal_as_metadata(path, model):
    body = model.SerializeToString()
    read = onnx.load(path)
    onnx.checker.check_model(read)
    found = {entry.key: entry.value for entry in read.metadata_props}
    assert found == {"note": "kept", "aerialseg.sha256": sha256(body).hexdigest()}
    assert read.graph == model.graph


def test_a_whole_file_has_its_sha256(path):
    assert check_seal(path) == sha256(path.read_bytes()).hexdigest()


def test_every_altered_byte_is_noticed(path):
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(CheckpointError, match="altered since"):
            check_seal(path)


@pytest.mark.parametrize("length", [0, 1, 60, -1])
def test_a_file_that_is_cut_off_is_refused(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError, match="altered since") as error:
        check_seal(path)
    assert len(error.value.problems) == 1


def test_more_bytes_at_the_end_are_noticed(path):
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(CheckpointError, match="altered"):
        check_seal(path)


def test_models_of_others_are_refused(tmp_path, model):
    path = tmp_path / "other.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(CheckpointError, match="no ONNX model that task=export wrote"):
        check_seal(path)


def test_no_file_is_said(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        check_seal(tmp_path / "a.onnx")
    with pytest.raises(CheckpointError, match="is a folder"):
        check_seal(tmp_path)


def test_what_wants_a_checkpoint_of_training_refuses_an_exported_model(path):
    with pytest.raises(CheckpointError) as error:
        read_checkpoint(path)
    assert str(error.value) == (
        f"{path}: is an exported model, which predicts but cannot be trained or taken apart; give "
        "the checkpoint (.ckpt) that it was exported from"
    )


def test_a_model_belongs_to_the_training_beside_it(tmp_path):
    train = RunFolder(tmp_path / "full" / "train")
    assert RunFolder.of_checkpoint(tmp_path / "full" / "export" / "model.onnx") == train
    assert RunFolder.of_checkpoint(train.path / "checkpoints" / "best.ckpt") == train
