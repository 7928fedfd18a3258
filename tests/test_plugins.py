"""Plugins of installed packages: found by their registered path only."""

import sys

import pytest

from aerialseg import plugins
from aerialseg.config.targets import ALLOWED, resolve_target
from aerialseg.errors import ConfigError
from aerialseg.models.networks.registry import find_builder
from helpers.packages import install

PACKAGES = ", ".join(ALLOWED)
CODE = """
    import os
    from torch import nn

    class Net(nn.Module):
        def __init__(self, num_classes):
            super().__init__()

    class NotRegistered(nn.Module):
        pass

    def loss(class_weights):
        return nn.Identity()

    NUMBER = 3
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A function that installs a package for the duration of a test."""
    monkeypatch.syspath_prepend(tmp_path / "site")
    before = set(sys.modules)

    def put(code=CODE, **entry_points):
        groups = {f"aerialseg.{group}": value for group, value in entry_points.items()}
        install(tmp_path / "site", "brought", code, groups)

    yield put
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "brought":
            del sys.modules[name]


def line_of(target):
    with pytest.raises(ConfigError) as error:
        resolve_target(target)
    (line,) = error.value.problems
    assert "\n" not in line
    return line


@pytest.mark.parametrize("group", ["networks", "losses", "layouts", "augmentations"])
def test_plugins_of_each_group_may_be_used_in_yaml(installed, group):
    installed(**{group: "brought:Net"})
    assert resolve_target("brought.Net") is sys.modules["brought"].Net


def test_a_function_may_be_registered(installed):
    installed(losses="brought:loss [extra]")
    assert resolve_target("brought.loss") is sys.modules["brought"].loss


def test_only_the_registered_path_may_be_used(installed):
    installed(networks="brought:Net")
    for target in ("brought.NotRegistered", "brought.loss", "brought.os.system", "brought.Net.to"):
        assert line_of(target).startswith(f"'{target}' is not in {PACKAGES}")
        assert find_builder(target) is None
    assert "brought" not in sys.modules, "what is not registered is not even imported"


def test_a_similar_registered_path_is_suggested(installed):
    installed(networks="brought:Net")
    assert line_of("brought.Nett") == (
        f"'brought.Nett' is not in {PACKAGES}; did you mean 'brought.Net'?"
    )


def test_a_package_that_registers_nothing_gets_advice(installed):
    installed()
    assert line_of("brought.Net") == (
        f"'brought.Net' is not in {PACKAGES}; the package 'brought' must register it: "
        "see examples/own_network"
    )


def test_other_groups_of_entry_points_are_not_read(installed):
    installed(tasks="brought:Net")
    assert plugins.registered() == {}
    assert line_of("brought.Net").startswith("'brought.Net' is not in ")


def test_a_checkpoint_may_name_a_network_but_no_other_plugin(installed):
    installed(networks="brought:Net", losses="brought:loss")
    assert find_builder("brought.Net") is sys.modules["brought"].Net
    assert find_builder("brought.loss") is None


@pytest.mark.parametrize(
    ("code", "value", "reason"),
    [
        ("raise OSError('no\\nlicence')", "brought:Net", "OSError: no licence"),
        ("import nowhere", "brought:Net", "ModuleNotFoundError: No module named 'nowhere'"),
        ("", "brought:Net", "AttributeError: module 'brought' has no attribute 'Net'"),
    ],
)
@pytest.mark.parametrize("find", [resolve_target, find_builder])
def test_a_broken_package_is_one_line_with_its_name(installed, find, code, value, reason):
    installed(code, networks=value)
    with pytest.raises(ConfigError) as error:
        find("brought.Net")
    assert error.value.problems == (
        "'brought.Net' cannot be imported: the installed package brought 1.0 is broken "
        f"({reason}); repair or uninstall it",
    )


@pytest.mark.parametrize("value", ["brought", ":Net", "brought:"])
def test_an_entry_point_without_a_name_is_one_line(installed, value):
    installed(networks=value)
    assert line_of("brought.Net") == (
        f"the installed package brought 1.0 registers '{value}' as aerialseg.networks; "
        "wanted 'module:name'; repair or uninstall it"
    )


def test_a_registered_number_builds_nothing(installed):
    installed(networks="brought:NUMBER")
    assert line_of("brought.NUMBER") == (
        "'brought.NUMBER' is registered but is not a class or function"
    )
    with pytest.raises(ConfigError, match="is not a class or function"):
        find_builder("brought.NUMBER")
