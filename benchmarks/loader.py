"""An epoch of a loader with one worker: decoding, batching and transfer."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks.command import run
from benchmarks.experiment import data_module
from benchmarks.images import data_root
from benchmarks.plain.data import PlainDataset
from benchmarks.row import Row
from benchmarks.timing import Setting, compare


def rows(setting: Setting) -> Iterator[Row]:
    """Loader with batches of 16 and one worker, seconds per image, and bytes sent to the device."""
    size = setting.count(16)
    root = data_root(setting, train=2 * size)
    for name, augmentation, goal in (("plain", "none", 3.5), ("augmented", "drone", 3)):
        choices = f"augmentation={augmentation}", f"data.batch_size={size}", "data.num_workers=1"
        data = data_module(root, *choices)
        ours = data.train_dataloader()
        plain = DataLoader(
            PlainDataset(data.samples("train"), augmented=augmentation != "none"),
            batch_size=size,
            shuffle=True,
            num_workers=1,
            persistent_workers=True,
        )
        each = compare(
            partial(_drain, plain), partial(_drain, ours), setting, seconds=20, items=2 * size
        )
        yield Row(f"loader, batch {size}, {name}, 1 worker", *each, goal=goal)
        if augmentation == "none":
            yield _bytes_row(next(iter(plain)), next(iter(ours)), size)
        del plain, ours  # ends their workers before the next ones start


def _drain(loader: Iterable[Any]) -> None:
    for _ in loader:
        pass


def _bytes_row(plain: tuple[Tensor, Tensor], ours: dict[str, Any], size: int) -> Row:
    """Bytes of images and masks, without the sample indices."""
    theirs = sum(tensor.nbytes for tensor in plain)
    own = ours["image"].nbytes + ours["mask"].nbytes
    return Row("bytes to the device, a sample", theirs / size, own / size, goal=5, unit="B")


if __name__ == "__main__":
    run(rows)
