"""What differs between two configs."""

from aerialseg.report.config_differences import config_differences


def test_only_what_differs_is_listed_and_places_apart():
    a = {
        "seed": 0,
        "run_name": "x",
        "data": {"root": "here", "seed": 0, "image_min_size": 192, "num_workers": 0},
        "paths": {"runs_dir": "runs"},
        "optimizer": {"function": {"_target_": "torch.optim.SGD", "momentum": 0.9}},
    }
    b = {
        "seed": 1,
        "run_name": "y",
        "data": {"root": "there", "seed": 1, "image_min_size": 192, "num_workers": 4},
        "paths": {"runs_dir": "runs"},
        "optimizer": {"function": {"_target_": "torch.optim.Adam", "eps": None}},
    }
    found = config_differences(a, b)
    assert found.training == {
        "seed, data.seed": ("0", "1"),
        "optimizer.function._target_": ("torch.optim.SGD", "torch.optim.Adam"),
        "optimizer.function.momentum": ("0.9", "absent"),
        "optimizer.function.eps": ("absent", "null"),
    }
    assert found.machine == {
        "run_name": ("x", "y"),
        "data.root": ("here", "there"),
        "data.num_workers": ("0", "4"),
    }


def test_a_list_that_builds_the_same_is_compared_by_item_and_any_other_as_a_whole():
    flip = {"_target_": "A.Flip", "p": 0.5}
    blur = {"_target_": "A.Blur", "p": 1.0}
    same = config_differences({"t": [flip, blur]}, {"t": [{**flip, "p": 0.1}, blur]})
    assert same.training == {"t[0].p": ("0.5", "0.1")}
    other = config_differences({"t": [flip], "s": [1, 2]}, {"t": [blur], "s": [1, 3]})
    assert other.training == {
        "t": ("[{_target_: A.Flip, p: 0.5}]", "[{_target_: A.Blur, p: 1.0}]"),
        "s": ("[1, 2]", "[1, 3]"),
    }


def test_a_text_that_reads_like_a_missing_value_is_told_apart():
    found = config_differences({"x": "absent", "y": "null"}, {"y": None})
    assert found.training == {"x": ("'absent'", "absent"), "y": ("'null'", "null")}


def test_equal_configs_have_no_differences():
    config = {"seed": 0, "data": {"classes": {"a": [0, 0, 0]}}}
    found = config_differences(config, config)
    assert (found.training, found.machine) == ({}, {})
