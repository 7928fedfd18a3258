import pytest
import torch

from aerialseg.errors import CheckpointError, ConfigError
from aerialseg.models.networks import deeplabv3_mobilenet_v3_large, lraspp_mobilenet_v3_large
from aerialseg.models.weights.class_rows import ClassChange, class_tensors, match_classes
from aerialseg.models.weights.transfer import continue_from
from helpers.tiny_training import small_network

OLD = ("ground", "car", "tree")
SOURCE = "runs/default/head/train/checkpoints/best.ckpt"


def rows(names, old=OLD, renamed=None):
    return match_classes(names, old, renamed, source=SOURCE)


@pytest.mark.parametrize(
    ("names", "renamed", "expected"),
    [
        (OLD, None, [0, 1, 2]),
        (("tree", "ground", "car"), None, [2, 0, 1]),
        (("ground", "car"), None, [0, 1]),
        (("sky", "ground", "car", "tree"), None, [None, 0, 1, 2]),
        (("ground", "vehicle", "tree"), {"vehicle": "car"}, [0, 1, 2]),
        (("ground", "pool", "tree"), {"pool": None}, [0, None, 2]),
        (("ground", "van", "truck", "tree"), {"van": "car", "truck": "car"}, [0, 1, 1, 2]),
        (("pool", "vehicle", "ground"), {"vehicle": "car", "pool": None}, [None, 1, 0]),
    ],
)
def test_classes_are_matched_by_name(names, renamed, expected):
    assert rows(names, renamed=renamed) == expected


@pytest.mark.parametrize("renamed", [{"vehicle": "car"}, {"vehicle": None}])
def test_the_words_for_the_first_stage_of_a_chain_hold_for_those_after_it(renamed):
    new = ("ground", "vehicle", "tree")
    assert rows(new, old=new, renamed=renamed) == [0, 1, 2]


def test_what_may_be_a_new_name_is_refused_with_the_words_to_say_it():
    with pytest.raises(CheckpointError) as error:
        rows(("ground", "vehicle", "tree"))
    assert error.value.problems == (
        f"{SOURCE}: was trained on other classes: car is gone and vehicle is new; say which are "
        "old classes under new names, as in stage.renamed_classes='{vehicle: car}', and which are "
        "really new: stage.renamed_classes='{vehicle: null}'",
    )


def test_every_class_that_has_come_must_be_explained():
    with pytest.raises(CheckpointError, match="tree is gone and pool is new"):
        rows(("ground", "vehicle", "pool"), renamed={"vehicle": "car"})


@pytest.mark.parametrize(
    ("renamed", "line"),
    [
        ({"vehicel": "car"}, "the data has no class 'vehicel'; did you mean 'vehicle'?"),
        ({"vehicle": "cars"}, f"{SOURCE} has no class 'cars'; did you mean 'car'?"),
    ],
)
def test_a_slip_in_the_words_is_found(renamed, line):
    with pytest.raises(ConfigError) as error:
        rows(("ground", "vehicle", "tree"), renamed=renamed)
    assert error.value.problems == (f"stage.renamed_classes: {line}",)


def change(build, names, old=OLD, renamed=None):
    """The network for ``names``, and how its classes differ from those of ``old``."""
    network = build(len(names))
    tensors = class_tensors(network, build(len(names) + 1))
    return network, ClassChange(names, old, rows(names, old, renamed), tensors)


def builder(kind):
    return {
        "tiny": lambda count: small_network(seed=count, num_classes=count),
        "deeplab": deeplabv3_mobilenet_v3_large,
        "lraspp": lraspp_mobilenet_v3_large,
    }[kind]


def logits(network, image):
    with torch.no_grad():
        return network.eval()(image)


@pytest.mark.parametrize("kind", ["tiny", "deeplab", "lraspp"])
@pytest.mark.parametrize(
    ("names", "renamed"),
    [
        (("car", "tree", "ground"), None),
        (("tree", "car"), None),
        (("sky", "tree", "ground", "car"), None),
        (("tree", "vehicle", "ground"), {"vehicle": "car"}),
    ],
)
def test_a_class_keeps_its_output_wherever_it_stands(kind, names, renamed):
    torch.manual_seed(0)
    parent, image = builder(kind)(len(OLD)), torch.rand(1, 3, 64, 64)
    network, how = change(builder(kind), names, renamed=renamed)
    continue_from(network, parent.state_dict(), SOURCE, change=how)
    before, after = logits(parent, image), logits(network, image)
    # For another number of channels a convolution may add up in another order.
    atol = 0 if len(names) == len(OLD) else 1e-6
    assert before.keys() == after.keys()
    for head, old in before.items():
        for index, name in enumerate(names):
            known = (renamed or {}).get(name, name)
            if known in OLD:
                expected = old[0, OLD.index(known)]
                torch.testing.assert_close(after[head][0, index], expected, rtol=0, atol=atol)


def test_a_new_class_keeps_its_initial_row():
    network, how = change(builder("tiny"), ("sky", "ground", "car", "tree"))
    fresh = network.classifier.weight[0].detach().clone()
    parent = small_network(9)
    line = str(continue_from(network, parent.state_dict(), SOURCE, change=how))
    assert torch.equal(network.classifier.weight[0], fresh)
    assert torch.equal(network.classifier.weight[1:], parent.classifier.weight)
    assert line.endswith(
        f"from {SOURCE}; its classes are matched by name (kept: ground, car, tree; new: sky)"
    )


def test_the_line_names_what_was_renamed_and_dropped():
    network, how = change(builder("tiny"), ("vehicle", "ground"), renamed={"vehicle": "car"})
    line = str(continue_from(network, small_network(9).state_dict(), SOURCE, change=how))
    assert line.endswith("(kept: vehicle from car, ground; dropped: tree)")


@pytest.mark.parametrize(("aux", "parents_aux"), [(True, False), (False, True)])
def test_the_auxiliary_head_may_be_missing_on_one_side(aux, parents_aux):
    names = ("tree", "ground", "car")
    network, how = change(lambda n: small_network(n, num_classes=n, aux_head=aux), names)
    parent = small_network(9, aux_head=parents_aux)
    continue_from(network, parent.state_dict(), SOURCE, change=how)
    assert torch.equal(network.classifier.bias, parent.classifier.bias[[2, 0, 1]])


def test_tensors_that_only_happen_to_have_as_many_rows_are_not_touched():
    """A hidden layer of three channels in a network for three classes."""

    def build(count):
        torch.manual_seed(count)
        hidden = torch.nn.Conv2d(3, 3, 1)
        return torch.nn.Sequential(hidden, torch.nn.Conv2d(3, count, 1))

    parent = build(3)
    network, how = change(build, ("tree", "ground", "car"))
    continue_from(network, parent.state_dict(), SOURCE, change=how)
    assert torch.equal(network[0].weight, parent[0].weight)
    assert torch.equal(network[1].weight, parent[1].weight[[2, 0, 1]])


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda count: torch.nn.Conv2d(3, 4, 1), "no tensor with a row for each"),
        (lambda count: torch.nn.Conv2d(3, 2 * count, 1), "has not one row for each class"),
    ],
)
def test_a_network_without_a_row_for_each_class_is_refused(build, reason):
    network, how = change(build, ("tree", "ground", "car"))
    with pytest.raises(CheckpointError, match=reason):
        continue_from(network, build(3).state_dict(), SOURCE, change=how)
