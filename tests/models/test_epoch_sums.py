import pytest
import torch

from aerialseg.metrics.accumulators import SegmentationMetrics
from aerialseg.models.epoch_sums import MeanLoss, restore_sums, sums_of


def test_the_mean_is_over_samples_and_not_over_batches():
    mean = MeanLoss()
    mean.update(torch.tensor(1.0), 3)
    mean.update(torch.tensor(5.0, dtype=torch.float16), 1)
    assert mean.compute() == pytest.approx(2.0)


@pytest.mark.filterwarnings("error")  # fails on the warning that update() was never called
def test_restored_sums_continue_as_if_uninterrupted():
    losses, maps = torch.rand(6), torch.randint(0, 3, (6, 2, 4, 4))
    whole, first, second = ({"a": MeanLoss(), "b": SegmentationMetrics(3)} for _ in range(3))

    def add(metrics, batches):
        for index in batches:
            metrics["a"].update(losses[index], 2)
            metrics["b"].update(*maps[index])

    add(whole, range(6))
    add(first, range(4))
    restore_sums(second, sums_of(first))
    assert torch.equal(second["a"].compute(), first["a"].compute())
    add(second, range(4, 6))
    for name in whole:
        assert torch.equal(second[name].compute(), whole[name].compute())
