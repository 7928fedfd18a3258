"""How the command-line arguments are prepared for Hydra."""

import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from aerialseg.config.overrides import prepare_overrides
from aerialseg.config.texts import for_shell, in_quotes
from aerialseg.errors import ConfigError
from aerialseg.storage.names import is_folder_name
from helpers.composing import CONF, composed, experiment, swept


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
        ("hydra/launcher=basic", "hydra/launcher=basic"),
        ("+stage.lr=1", "+stage.lr=1"),
        ("++stage.lr=1", "++stage.lr=1"),
        ("~callbacks.samples", "~callbacks.samples"),
        ("+optimizer@model.extra=adamw", "+optimizer@model.extra=adamw"),
        ("--help", "--help"),
        ("-m", "-m"),
        ("--config-dir=.", "--config-dir=."),
    ],
)
def test_only_values_get_a_plus_plus_prefix(argument, prepared):
    assert prepare_overrides([argument], CONF) == [prepared]


@pytest.mark.parametrize(
    "text",
    [
        "runs/s/head/stage.learning_rate=0.001/train/checkpoints/best.ckpt",
        "~/best.ckpt",
        "feld (süd), 2024",
        "日本",
        "d/f0_00[0-3].png",
        "photo(1).jpg",
        "C:\\süd\\",
        "2024",
        "2024_11",
        "1e3",
        "007",
        "true",
        "a b",
    ],
)
@pytest.mark.parametrize("key", ["checkpoint", "run_name", "data.root", "task.output_dir"])
def test_a_text_is_read_as_it_stands(key, text):
    if key == "run_name" and not is_folder_name(text):
        text = text.replace("/", "-").replace("\\", "-").replace(":", "-").strip("~-")
    assert value_of(*prepare_overrides([f"{key}={text}"], CONF)) == text


@pytest.mark.parametrize(
    "template", ["{stem}_lab.png", "{parent}/gt/{stem}.png", "gt_{stem}", "{stem}", "{a: b}", "{x"]
)
def test_a_template_of_names_is_a_text_with_quotes_and_without(template):
    key = "data.layout.mask_name"
    for typed in (template, f"'{template}'", f'"{template}"'):
        assert value_of(*prepare_overrides([f"{key}={typed}"], CONF)) == template
    assert value_of(*prepare_overrides([f"{key}=null"], CONF)) is None


def test_templates_of_names_can_be_swept():
    typed = ["-m", "data.layout.mask_name={stem}_a.png,{stem}_b", "paths.output_dir=x"]
    override = OverridesParser.create().parse_override(prepare_overrides(typed, CONF)[1])
    values = [each.strip("'") for each in override.sweep_string_iterator()]
    assert values == ["{stem}_a.png", "{stem}_b"]


def test_in_a_multirun_a_comma_separates_texts():
    typed = ["-m", "checkpoint=lr=1/a.ckpt, lr=2/b.ckpt,c.ckpt", "paths.output_dir=x"]
    _, override, _ = prepare_overrides(typed, CONF)
    values = OverridesParser.create().parse_override(override).sweep_string_iterator()
    assert [each.strip("'") for each in values] == ["lr=1/a.ckpt", "lr=2/b.ckpt", "c.ckpt"]
    runs = [job["writes"] for job in swept("run_name=2023,2024")]
    assert runs == ["runs/2023/head/train", "runs/2024/head/train"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_any_text_in_the_quotes_that_an_error_advises_is_read_as_it_stands(text):
    assert value_of(f"data.root={in_quotes(text)}") == text


@pytest.mark.parametrize("text", ["Peter's", 'a"b', "a'b\"c", "$x `y` !z", "c:\\", "feld (süd"])
def test_a_shell_takes_an_advised_word_for_what_is_meant(text):
    word = for_shell(f"data.root={in_quotes(text)}")
    (typed,) = shlex.split(word)
    assert value_of(typed) == text


def value_of(override):
    return OverridesParser.create().parse_override(override).value()


def set_home(monkeypatch, folder):
    for name in ("HOME", "USERPROFILE"):  # on POSIX, on Windows
        monkeypatch.setenv(name, str(folder))


def test_the_home_folder_is_known_in_every_path(monkeypatch, tmp_path):
    set_home(monkeypatch, tmp_path)
    keys = ("checkpoint", "input", "paths.runs_dir", "paths.cache_dir", "stage.init_checkpoint")
    keys += ("model.weights", "data.root", "data.classes", "paths.weights_dir", "task.output_dir")
    config = experiment("task=predict", *(f"{key}=~/x" for key in keys)).to_mapping()
    for key in keys:
        value = config
        for part in key.split("."):
            value = value[part]
        assert value == f"{tmp_path}/x", key
    assert config["paths"]["output_dir"] == f"{tmp_path}/x/default/head/predict"
    assert "~" not in str(config)


def test_the_folder_of_a_multirun_knows_the_home_folder(monkeypatch, tmp_path):
    set_home(monkeypatch, tmp_path)
    cfg = composed("paths.runs_dir=~/runs", "run_name=a", hydra=True)
    assert cfg.hydra.sweep.dir == f"{tmp_path}/runs/a"


def test_the_home_folder_is_known_in_the_config_dir(monkeypatch, tmp_path):
    set_home(monkeypatch, tmp_path)
    (tmp_path / "conf").mkdir()
    for flag in (["--config-dir=~/conf"], ["--config-dir", "~/conf"]):
        assert f"{tmp_path}/conf" in prepare_overrides(flag, CONF)[-1]


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "a/b", "..", "'a\\b'", "' a'", "C:x", "''"])
def test_an_invalid_run_name_stops_before_hydra_makes_its_folder(name):
    with pytest.raises(ConfigError, match=r"^run_name: .* cannot be the name of a folder$"):
        prepare_overrides(["-m", f"run_name={name}"], CONF)


def test_an_override_is_not_taken_for_the_value_of_a_flag():
    assert prepare_overrides(["stage=aspp", "--info"], CONF) == ["--info", "all", "stage=aspp"]
    assert prepare_overrides(["--info", "config", "stage=aspp"], CONF)[:2] == ["--info", "config"]


def test_flags_may_stand_anywhere_and_the_order_of_overrides_is_kept():
    arguments = ["stage=head,decoder", "-m", "seed=1", "-p", "stage", "+x=1"]
    assert prepare_overrides(arguments, CONF) == [
        *("-m", "-p", "stage", "stage=head,decoder", "++seed=1", "+x=1")
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
    with pytest.raises(ConfigError, match=r"stage: there is no 'min'; did you mean 'mine'\?$"):
        prepare_overrides([f"--config-dir={tmp_path}", "stage=min"], CONF)


@pytest.mark.parametrize("flag", [["--config-dir", "nowhere"], ["--config-dir=nowhere"]])
def test_a_config_dir_that_is_not_there_is_one_line(tmp_path, flag):
    with pytest.raises(ConfigError, match=r"^--config-dir: .*nowhere is not a folder$"):
        prepare_overrides([*flag, "stage=head"], CONF)
