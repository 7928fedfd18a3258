"""The table of layer groups, printed by a real process."""

import re

from helpers.project import Project


def test_layers_prints_what_each_stage_trains(tmp_path):
    done = Project(tmp_path).run("task=layers")
    assert done.returncode == 0, done.stderr
    counts = re.findall(r"[\d,]{5,}", done.stdout.splitlines()[-3])
    # Without weights above the backbone, the head stage learns all of that.
    assert counts == ["11,026,916", "8,054,964", "597,172", "8,054,964", "10,933,716", "11,023,164"]
    assert "learns, being random so far" in done.stdout
