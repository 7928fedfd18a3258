"""How the command-line arguments are prepared for Hydra."""

import pytest

from aerialseg.config.overrides import prepare_overrides
from aerialseg.errors import ConfigError
from aerialseg.storage.names import is_folder_name
from helpers.composing import CONF, composed, swept


@pytest.mark.parametrize(
    ("argument", "prepared"),
    [
        ("stage.learning_rate=4e-3", "++stage.learning_rate=4e-3"),
        ("sed=1", "++sed=1"),
        ("run_name='a b'", "++run_name='a b'"),
        ("run_name='a,b'", "++run_name='a,b'"),
        ("model.mean=[1,2,3]", "++model.mean=[1,2,3]"),
        ("data.layout={count:1}", "++data.layout={count:1}"),
        ("hydration=1", "++hydration=1"),
        ("stage=aspp", "stage=aspp"),
        ("data/classes=dubai", "data/classes=dubai"),
        ("hydra.verbose=true", "hydra.verbose=true"),
        ("hydra/job_logging=none", "hydra/job_logging=none"),
        ("+stage.lr=1", "+stage.lr=1"),
        ("++stage.lr=1", "++stage.lr=1"),
        ("~callbacks.samples", "~callbacks.samples"),
        ("augmentation@_global_.augmentation=drone", "augmentation@_global_.augmentation=drone"),
        ("--help", "--help"),
        ("-m", "-m"),
        ("job", "job"),
        ("seed=[1", "seed=[1"),
        ("=1", "=1"),
    ],
)
def test_only_values_get_a_plus_plus_prefix(argument, prepared):
    assert prepare_overrides([argument], CONF) == [prepared]


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "a/b", "..", "'a\\b'", "' a'", "C:x", "''"])
def test_an_invalid_run_name_stops_before_hydra_makes_its_folder(name):
    with pytest.raises(ConfigError, match=r"^run_name: .* cannot be the name of a folder$"):
        prepare_overrides(["-m", f"run_name={name}"], CONF)


def test_the_order_of_arguments_is_kept():
    arguments = ["-m", "stage=head,decoder", "seed=1", "--cfg", "job", "+x=1"]
    assert prepare_overrides(arguments, CONF) == [
        *("-m", "stage=head,decoder", "++seed=1", "--cfg", "job", "+x=1")
    ]


@pytest.mark.parametrize(
    "command",
    [
        "stage=head,decoder,aspp",
        "stage=head,decoder run_name=a,b",
        "stage=head task=check,layers",
        "stage=choice(head,decoder) seed=1",
        "stage=head model.mean=[1,2,3]",
        "stage=head run_name='a,b'",
        "seed=1,2 paths.output_dir=mine",
    ],
)
def test_no_extra_folder_for_keys_already_in_the_folder_name(command):
    prepared = prepare_overrides(["-m", *command.split()], CONF)
    assert len(prepared) == 1 + len(command.split())


@pytest.mark.parametrize(
    ("command", "folders"),
    [
        (
            "stage=aspp stage.learning_rate=4e-3,8e-3",
            ["aspp/stage.learning_rate=0.004", "aspp/stage.learning_rate=0.008"],
        ),
        ("++seed=1,2", ["head/seed=1", "head/seed=2"]),
        ("seed=choice(1,2) trainer=cpu", ["head/seed=1", "head/seed=2"]),
        ("seed=range(1,3)", ["head/seed=1", "head/seed=2"]),
        ("loss=dice,focal", ["head/loss=dice", "head/loss=focal"]),
        ("run_name='x,y','z'", None),
        (
            "stage=head,decoder seed=1,2",
            ["head/seed=1", "head/seed=2", "decoder/seed=1", "decoder/seed=2"],
        ),
        (
            "loss=dice,focal augmentation=drone augmentation.transforms.0.p=0.1,0.2",
            [
                f"head/augmentation.transforms.0.p={p},loss={loss}"
                for loss in ("dice", "focal")
                for p in (0.1, 0.2)
            ],
        ),
    ],
)
def test_each_job_of_a_sweep_has_a_folder_named_by_the_swept_values(command, folders):
    jobs = [job["writes"] for job in swept(*command.split())]
    if folders is None:
        assert jobs == ["runs/x,y/head/train", "runs/z/head/train"]
    else:
        assert jobs == [f"runs/default/{folder}/train" for folder in folders]


def test_a_sweep_never_writes_to_the_stages_own_folder():
    own = composed("stage=aspp").paths.output_dir
    jobs = swept("stage=aspp", "optimizer=sgd,adamw", "seed=0,1")
    assert len({job["writes"] for job in jobs}) == 4
    assert own not in {job["writes"] for job in jobs}


def test_a_folder_of_a_sweep_is_one_that_every_system_allows():
    jobs = [job["writes"] for job in swept("data.root=/x/y,../z:w")]
    folders = [job.removeprefix("runs/default/head/").removesuffix("/train") for job in jobs]
    assert all(folder.startswith("data.root=_x_y-") for folder in folders[:1])
    assert all(is_folder_name(folder) for folder in folders)
    assert len(set(folders)) == 2


def test_choices_may_be_in_a_config_dir_of_the_user(tmp_path):
    (tmp_path / "stage").mkdir()
    (tmp_path / "stage" / "mine.yaml").touch()
    for place in (["--config-dir", str(tmp_path)], [f"hydra.searchpath=[{tmp_path}]"]):
        assert prepare_overrides([*place, "stage=mine"], CONF) == [*place, "stage=mine"]
    with pytest.raises(ConfigError, match="stage: there is no 'mine'"):
        prepare_overrides(["stage=mine"], CONF)
