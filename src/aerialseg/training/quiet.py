"""Silences messages of other packages, each with the reason."""

import logging
import warnings

_UNWANTED_WARNINGS = (
    "Found .* module\\(s\\) in eval mode",  # frozen layers are in eval mode on purpose
    "You're resuming from a checkpoint that ended before the epoch",  # our sampler can do that
    "The number of training batches",  # curves are per epoch, so log_every_n_steps does not matter
    "`isinstance\\(treespec, LeafSpec\\)`",  # between Lightning and torch, nothing a user can fix
    ".*does not have many workers",  # data.num_workers is the user's choice
    ".*`weights_only`.*",  # our reader loads only tensors and plain data
    "Trying to infer the `batch_size`",  # every logged value passes its batch size
    ".*pin_memory.*no accelerator",  # memory is pinned only with a GPU
    "Starting from v1.9.0, `tensorboardX`",  # tensorboard is a dependency
)


def quieten_lightning() -> None:
    """Silences Lightning's info messages and the listed warnings."""
    for package in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(package).setLevel(logging.WARNING)
    for message in _UNWANTED_WARNINGS:
        warnings.filterwarnings("ignore", message=message)
