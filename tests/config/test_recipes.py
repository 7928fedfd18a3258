"""What recipes decide, what takes precedence over them, and what of them is refused."""

import shutil

import pytest

from aerialseg.config.recipes import crop_size, scaled_epochs
from aerialseg.config.resolvers import register_shipped
from aerialseg.config.validation import validate
from aerialseg.errors import ConfigError
from helpers.composing import CONF, composed, experiment, typed
from helpers.stages import STAGES


@pytest.fixture(scope="module")
def conf(tmp_path_factory):
    return shutil.copytree(CONF, tmp_path_factory.mktemp("recipes") / "conf")


@pytest.mark.parametrize(
    ("epochs", "scale", "wanted"),
    [(30, 0.2, 6), (30, 1.0, 30), (3, 0.1, 1), (7, 0.5, 4), (2, 3, 6)],
)
def test_epochs_are_scaled_to_at_least_one(epochs, scale, wanted):
    assert scaled_epochs(epochs, scale) == wanted


@pytest.mark.parametrize(
    ("share", "edge", "window", "wanted"),
    [
        (0.7, 720, None, 496),  # 504, to a multiple of 16
        (0.5, 192, None, 96),
        (0.5, None, 512, 256),
        (0.5, None, [512, 768], 256),
        (0.5, 256, 512, 128),  # windows that are shown at 256
        (0.1, 192, None, 32),
        (0.5, None, None, 352),  # of the usual 720: 360
        (None, 720, None, None),
    ],
)
def test_crops_are_a_share_of_what_validation_shows(share, edge, window, wanted):
    assert crop_size(share, edge, window) == wanted


@pytest.mark.parametrize("stage", STAGES)
def test_a_scale_holds_for_every_stage_and_a_row_for_one(stage):
    full = experiment("recipe=seed", f"stage={stage}").stage.epochs
    scaled = experiment("recipe=seed", f"stage={stage}", "recipe.scale=0.1")
    assert scaled.stage.epochs == scaled.trainer["max_epochs"] == round(full / 10)
    of_one = experiment("recipe=seed", f"stage={stage}", "recipe.epochs.full=40")
    assert of_one.stage.epochs == (40 if stage == "full" else full)


@pytest.mark.parametrize("recipe", ["seed", "strong"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_the_augmentation_and_the_crops_of_its_row(recipe, stage):
    found = experiment(f"recipe={recipe}", f"stage={stage}", "data=folders")
    name = found.recipe.augmentation[stage]
    alone = experiment(f"augmentation={name}", f"stage={stage}")
    assert found.augmentation == alone.augmentation
    share = found.recipe.crops[stage]
    assert found.data["crop_size"] == crop_size(share, found.data["image_min_size"], None)


def test_what_is_typed_takes_precedence_over_the_recipe():
    chosen = (
        "stage.epochs=5",
        "stage.learning_rate=0.5",
        "augmentation=drone",
        "data.crop_size=64",
    )
    found = experiment("stage=full", *chosen, "stage.load_from=last", "optimizer=sgd")
    assert (found.stage.epochs, found.stage.learning_rate, found.stage.load_from) == (
        5,
        0.5,
        "last",
    )
    assert found.augmentation == experiment("augmentation=drone").augmentation
    assert found.data["crop_size"] == 64
    assert found.optimizer.function["_target_"] == "torch.optim.SGD"


def test_an_experiment_takes_precedence_over_the_recipe_and_may_choose_it(conf):
    text = "defaults:\n  - override /recipe: seed\n  - override /optimizer: adamw\n"
    text += "recipe: {epochs: {full: 7}}\nstage: {learning_rate: 0.25}\n"
    (conf / "experiment" / "mine.yaml").write_text(f"# @package _global_\n{text}")
    found = experiment("experiment=mine", "stage=full", conf=conf)
    assert found.recipe.name == "seed"
    assert found.optimizer.function["_target_"] == "torch.optim.AdamW"
    assert (found.stage.epochs, found.stage.learning_rate, found.stage.fresh) == (7, 0.25, "freeze")


def test_the_file_of_a_stage_takes_precedence_over_the_recipe(conf):
    text = "name: mine\nprevious: head\nfine_tune_start: 3\nepochs: 9\nlearning_rate: 0.125\n"
    (conf / "stage" / "mine.yaml").write_text(f"# Mine.\n{text}aux_loss: true\n")
    found = experiment("stage=mine", conf=conf)
    assert (found.stage.epochs, found.stage.learning_rate) == (9, 0.125)
    assert found.augmentation["transforms"] == []
    assert found.data["crop_size"] is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("stage.epochs=5", "recipe.scale=0.5"),
        ("stage.epochs=5", "recipe.epochs.full=40"),
        ("stage.learning_rate=1", "recipe.learning_rate.head=2"),
        ("stage.fresh=learn", "recipe.fresh=freeze"),
        ("stage.load_from=best", "recipe.load_from=last"),
        ("augmentation=drone", "recipe.augmentation.head=none"),
        ("data.crop_size=64", "recipe.crops.head=0.5"),
    ],
)
def test_one_value_is_typed_in_one_place(one, other):
    key, said = one.partition("=")[0], other.partition("=")[0]
    assert typed(one, other) == [
        f"config error: {key}: is typed, and so is {said}, which decides it otherwise; "
        "leave one out"
    ]


@pytest.mark.parametrize("given", ["recipe.scale=0.5", "recipe.epochs.head=3"])
def test_what_is_typed_without_effect_is_refused(conf, given):
    (conf / "experiment" / "fixed.yaml").write_text("# @package _global_\nstage: {epochs: 6}\n")
    assert typed("experiment=fixed", given, conf=conf) == [
        f"config error: {given.partition('=')[0]}: has no effect on stage head: stage.epochs=6 is "
        "set by a file; type stage.epochs instead"
    ]
    assert typed("experiment=fixed", "recipe.epochs.full=3", conf=conf) == []


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("recipe.epochs.ful=3", "recipe.epochs.ful: there is no stage 'ful'; did you mean 'full'?"),
        (
            "recipe.augmentation.full=dron",
            "recipe.augmentation.full: there is no augmentation 'dron'; did you mean 'drone'?",
        ),
        ("recipe.scale=0", "recipe.scale: 0 is out of range, wanted more than 0"),
        ("recipe.scale=1e9", "recipe.scale: 1000000000.0 is out of range, wanted 1000 or less"),
        ("recipe.scale=a", "recipe.scale: 'a' is not a number"),
        ("recipe.epochs.head=x", "recipe.epochs.head: 'x' is not a whole number"),
        ("recipe.fresh=thaw", "recipe.fresh: 'thaw' is not one of learn, freeze"),
        (
            "recipe.stages=[full,hed]",
            "recipe.stages: there is no stage 'hed'; did you mean 'head'?",
        ),
        ("recipe.stages=[head,head]", "recipe.stages: names stage 'head' more than once"),
        (
            "recipe.stages=[]",
            "recipe.stages: is empty; name them in the order of training, as in "
            "'recipe.stages=[head,aspp,full]'",
        ),
    ],
)
def test_what_is_mistyped_is_one_line(given, line):
    assert typed(given) == [f"config error: {line}"]


def test_a_wrong_value_is_not_repeated_in_advice(tmp_path):
    """The command that would train the predecessor has the wrong value too."""
    where = ("stage=full", f"paths.runs_dir={tmp_path}")
    assert typed(*where, "recipe.learning_rate.full=-1") == [
        "config error: recipe.learning_rate.full: -1 is out of range, wanted more than 0"
    ]
    (line,) = typed(*where, "recipe.learning_rate.full=1")
    assert "recipe.learning_rate.full=1` first" in line


def test_an_augmentation_that_is_more_than_a_list_is_for_all_stages(conf):
    text = "# Mine.\n_target_: albumentations.Compose\ntransforms: []\np: 0.5\n"
    (conf / "augmentation" / "half.yaml").write_text(text)
    register_shipped(conf.parent)
    try:
        cfg = composed("recipe.augmentation.head=half", conf=conf)
        with pytest.raises(ConfigError, match="half"):
            validate(cfg)
    finally:
        register_shipped(CONF.parent)


@pytest.mark.parametrize(
    ("recipe", "weights"),
    [("strong", "sqrt_enet"), ("demo", "sqrt_enet"), ("seed", "median_frequency")],
)
def test_class_weights_of_a_recipe_are_for_its_own_loss(recipe, weights):
    """A loss that somebody chooses has the weights that its file says."""
    assert composed(f"recipe={recipe}").loss.class_weights == weights
    assert composed(f"recipe={recipe}", "loss=jaccard_cross_entropy").loss.class_weights == "none"
    assert composed(f"recipe={recipe}", "loss=focal").loss.class_weights == "none"
