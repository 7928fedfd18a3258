"""Whatever would make it another run is noticed and named before a stage is gone on with."""

import shutil

import cv2
import pytest

CHANGES = [
    (["stage.learning_rate=2e-2"], "stage.learning_rate was 0.01, is 0.02"),
    (["seed=1"], "seed was 0, is 1"),
]


def assert_refused(run, state, difference, *arguments):
    before = contents(run.folder)
    assert run.execute(*arguments) == 1
    *_, line = run.said().splitlines()
    folder = run.train_folder(run.stages[0])
    assert line.startswith(
        f"config error: existing=resume: {folder} holds {state} run that differs"
    )
    assert difference in line
    assert "Traceback" not in run.said()
    assert contents(run.folder) == before


def contents(folder):
    return {path: path.read_bytes() for path in (folder / "runs").rglob("*") if path.is_file()}


@pytest.fixture(params=["a finished", "an unfinished"])
def state(request):
    return request.param


@pytest.fixture
def begun(tmp_path, state, whole, killed, begin):
    """A stage that is finished or was killed; options say where its images lie."""
    source = whole().folder if state == "a finished" else killed
    shutil.copytree(source, tmp_path / "run")
    return lambda **options: begin(tmp_path / "run", stages=["head"], **options)


@pytest.mark.parametrize(("arguments", "difference"), CHANGES)
def test_another_config(begun, state, arguments, difference):
    assert_refused(begun(), state, difference, *arguments)


def test_another_data_set(begun, state, begin, tmp_path):
    scenes = tmp_path / "scenes"
    shutil.copytree(begin.scenes, scenes)
    mask = next((scenes / "masks/masks").iterdir())
    cv2.imwrite(str(mask), 11 - cv2.imread(str(mask), cv2.IMREAD_UNCHANGED))
    assert_refused(begun(scenes=scenes), state, "data_fingerprint was ")


def test_another_parent(tmp_path, whole, begin):
    shutil.copytree(whole().folder, tmp_path, dirs_exist_ok=True)
    run = begin(tmp_path, stages=["decoder"])
    folder = run.checkpoints("head")
    shutil.copyfile(folder / "last.ckpt", folder / "best.ckpt")
    assert_refused(run, "a finished", "parent was ")


def test_where_it_lies_does_not_make_another(begun, state, begin, tmp_path, whole):
    shutil.copytree(begin.scenes, tmp_path / "scenes")
    run = begun(scenes=tmp_path / "scenes")
    assert run.execute() == 0, run.said()
    assert ("already finished" in run.said()) == (state == "a finished")


def test_a_later_stage_is_not_kept_when_one_before_it_is_trained(tmp_path, whole, begin):
    shutil.copytree(whole().folder, tmp_path, dirs_exist_ok=True)
    run = begin(tmp_path, stages=["head", "decoder"])
    curriculum = ["task=curriculum", "task.stages=[head,decoder]", "task.measure=false"]
    run.arguments = [
        *curriculum,
        *(word for word in run.arguments if not word.startswith(("-m", "stage="))),
    ]
    (run.train_folder("head") / "metrics.json").unlink()
    before = contents(run.folder)
    assert run.execute() == 1
    *_, line = run.said().splitlines()
    folder = run.train_folder("decoder")
    assert line.startswith(f"config error: existing=resume: {folder} holds a run of stage decoder")
    assert "stage head before it is not finished" in line
    assert "overwrite" in line
    assert contents(run.folder) == before
