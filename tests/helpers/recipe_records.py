"""Records of runs that never were."""

from dataclasses import replace

from benchmarks.recipes.records import Machine, Record, Setting, StageScore

SETTING = Setting("scenes", 50, (64, 96), "", (), 2, 60.0)
MACHINE = Machine("a cpu", 2, 1, 1)


def record(name="strong", *, fold=0, seed=0, miou=0.5, order=0, setting=SETTING, **changes):
    """A run of ``recipe=name`` unless ``changes`` say otherwise."""
    made = Record(
        setting=setting,
        variant=name,
        order=order,
        overrides=(f"recipe={name}",),
        config="c0ffee",
        fold=fold,
        seed=seed,
        test_places=(f"place {fold}",),
        images={"train": 30, "val": 8, "test": 12},
        scale=0.5,
        planned_seconds=59.0,
        seconds=61.0,
        wall_seconds=70.0,
        stages=(
            StageScore("head", 3, 3, 2, 11.0, 0.3, 0.4),
            StageScore("full", 10, 8, 7, 50.0, 0.6, 0.7),
        ),
        miou=miou,
        dice=miou + 0.1,
        iou={"car": miou},
        revision="abc",
        machine=MACHINE,
        command="python -m benchmarks.recipes ...",
        finished="2026-01-01T00:00:00+00:00",
    )
    return replace(made, **changes)
