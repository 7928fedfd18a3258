from pathlib import Path

import pytest

from benchmarks.recipes.arguments import parse
from benchmarks.recipes.variants import Variant, VariantError, joined, parse_variant, parse_variants


@pytest.mark.parametrize(
    ("text", "name", "overrides"),
    [
        ("strong", "strong", ("recipe=strong",)),
        (" my-recipe.2 ", "my-recipe.2", ("recipe=my-recipe.2",)),
        ("one stage: recipe=strong a=[b]", "one stage", ("recipe=strong", "a=[b]")),
        ("q: 'a={x: 1}' ~b", "q", ("a={x: 1}", "~b")),
    ],
)
def test_a_variant_is_a_recipe_or_a_name_with_overrides(text, name, overrides):
    assert parse_variant(text) == Variant(name, overrides)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "no variant; type some after --"),
        (["recipe=strong"], "'recipe=strong' is no variant; wanted a recipe such as strong"),
        (["a: recipe='x"], "No closing quotation"),
        (["a: recipe"], "a: 'recipe' is no override; wanted KEY=VALUE"),
        (["a: seed=3"], "a: seed is set by the benchmark itself"),
        (["a: +task.split=val"], "a: task.split is set by the benchmark itself"),
        (["a: data.layout.split=x.csv"], "a: data.layout.split is set"),
        (["a: recipe.scale=2"], "a: recipe.scale follows from --seconds"),
        (["a", "a: recipe=b"], "two variants have the name 'a'"),
        (["a", "b: recipe=a"], "two variants have the overrides 'recipe=a'"),
        (["a", "b: x={a}"], "b: its seconds would be those of {a} too; give both a recipe.scale"),
    ],
)
def test_what_is_no_variant_is_refused_in_one_line(texts, message):
    with pytest.raises(VariantError) as caught:
        parse_variants(texts, is_scaled=True)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_at_full_length_a_variant_may_scale():
    (variant,) = parse_variants(["short: recipe=strong recipe.scale=0.5"], is_scaled=False)
    assert variant.overrides[-1] == "recipe.scale=0.5"


def test_a_variant_learns_from_the_checkpoint_of_another_one():
    _, variant = parse_variants(
        ["half size: recipe=a", "taught: 'a={x: 1}' loss.distillation.teacher='{half size}'"],
        is_scaled=False,
    )
    assert variant.learns_from == "half size"
    assert variant.given(Path("a b.ckpt")) == ("a={x: 1}", "loss.distillation.teacher='a b.ckpt'")


@pytest.mark.parametrize("texts", [["a: x={b}"], ["a: x={a}"], ["a: x={b}", "b: x={a}"]])
def test_a_variant_learns_from_one_that_trains_by_itself(texts):
    with pytest.raises(VariantError, match="is no variant of this command that trains without"):
        parse_variants(texts, is_scaled=False)


def test_what_is_said_first_replaces_what_is_said_for_all():
    ours = ("data.batch_size=4", "data=folders", "seed=0")
    assert joined(("++data.batch_size=8",), ("a=1",), ours) == (
        *("++data.batch_size=8", "a=1"),
        *("data=folders", "seed=0"),
    )


def test_the_command_is_written_without_paths(tmp_path):
    weights = tmp_path / "w.pth"
    weights.touch()
    options = ["--data", "dubai", "--root", str(tmp_path), "--weights", str(weights)]
    chosen = parse([*options, "--seeds", "1", "2", "--", "a", f"b: x={weights} y=../z z=1"])
    assert chosen.command == (
        "python -m benchmarks.recipes --data dubai --root PATH --weights FILE --folds 4 "
        "--seeds 1 2 --seconds 120 -- a 'b: x=PATH y=PATH z=1'"
    )


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("--data dubai -- a", "--data dubai: wants --root FOLDER"),
        ("--data scenes --root x -- a", "--data scenes: wants no --root"),
        ("--data dubai --root x --count 5 -- a", "leave out --count and --size"),
        ("--data scenes --folds 1 -- a", "--folds is 2 or more"),
        ("--data scenes --weights nowhere.pth -- a", "nowhere.pth: there is no such file"),
        ("--data scenes --seconds -1 -- a", "-1: wanted 0 or more"),
        ("--data scenes --common seed=1 -- a", "--common: seed is set by the benchmark itself"),
        ("--data scenes", "no variant"),
    ],
)
def test_a_wrong_command_line_ends_with_a_line_that_says_why(typed, message, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(typed.split())
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_threads_share_the_cores_unless_the_environment_says_how_many(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    chosen = parse(["--data", "scenes", "--jobs", "3", "--", "a"])
    assert chosen.threads == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert chosen.threads == 1
