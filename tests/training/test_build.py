import logging

import pytest
import yaml

from aerialseg.training.build import build_data
from helpers.composing import experiment
from helpers.tiny_data import CLASSES, write_folders


@pytest.mark.parametrize("classes", [[], ["data/classes=dubai"]])
def test_a_class_table_beside_the_images_is_not_passed_over_in_silence(tmp_path, caplog, classes):
    caplog.set_level(logging.WARNING)
    root = write_folders(tmp_path / "field", [f"{i}" for i in range(6)])
    (root / "classes.yaml").write_text(yaml.safe_dump(CLASSES, sort_keys=False))
    given = [f"data.root={root}", f"paths.cache_dir={tmp_path / 'cache'}", "data.num_workers=0"]
    build_data(experiment("data=folders", *given, *classes))
    said = [line for line in caplog.messages if "is not used" in line]
    assert len(said) == len(classes)
    assert all(line.startswith(f"{root / 'classes.yaml'} is not used") for line in said)
