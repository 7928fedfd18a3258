"""Messages of other packages that would bury ours, each with the reason it is not shown."""

import logging
import warnings

_UNWANTED_WARNINGS = (
    "Found .* module\\(s\\) in eval mode",  # frozen layers are in eval mode on purpose
    "You're resuming from a checkpoint that ended before the epoch",  # our sampler can do that
    "The number of training batches",  # curves are per epoch; so few steps need no finer ones
    "`isinstance\\(treespec, LeafSpec\\)`",  # between Lightning and torch, nothing a user can mend
    ".*does not have many workers",  # data.num_workers is the user's choice
    ".*`weights_only`.*",  # our own reader decides, and only ever admits tensors
    "Trying to infer the `batch_size`",  # every logged value says its batch size itself
    ".*pin_memory.*no accelerator",  # pinned only where there is a GPU
    "Starting from v1.9.0, `tensorboardX`",  # tensorboard is a dependency of ours
)


def quieten_lightning() -> None:
    """Leaves Lightning's warnings on, but for those listed, and its announcements off."""
    for package in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(package).setLevel(logging.WARNING)
    for message in _UNWANTED_WARNINGS:
        warnings.filterwarnings("ignore", message=message)
