from aerialseg.storage.stage_result import StageResult


def test_scores_and_facts_make_one_flat_mapping_and_come_back():
    result = StageResult(
        scores={"val/dice": 0.5, "val/miou": 0.25, "val/iou_best_epoch": 0.25},
        stage="head",
        best_epoch=2,
        epochs=3,
        seconds=12.5,
        trainable_parameters=10,
        total_parameters=100,
        frozen_tensors=7,
        frozen_unchanged=True,
    )
    content = result.to_mapping()
    assert list(content)[:4] == ["val/dice", "val/miou", "val/iou_best_epoch", "stage"]
    assert content["best_epoch"] == 2
    assert StageResult.from_mapping(content) == result
