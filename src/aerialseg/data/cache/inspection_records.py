"""That data were inspected, and with what result: training may ask for it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.store import entry_folder, find_entry, keep_entry
from aerialseg.data.checks.finding import SEVERITIES, Finding
from aerialseg.data.layouts.listing import Sample
from aerialseg.storage.fingerprints import file_size, fingerprint

_METHOD = 1  # goes into the key; a new number asks for another inspection
_KIND = "inspections"


def data_fingerprint(
    samples: Sequence[Sample], digests: Sequence[str], pixels: npt.NDArray[np.int64]
) -> str:
    """Sha256 of what was inspected: images by content, masks by class pixels and size, the split.

    Args:
        samples: With their splits, ids beginning with the set's name if there are several.
        digests: Of the image files.
        pixels: ``(N, num_classes)`` by the classes that are trained; zeros without a mask.
    """
    rows = [
        (sample.id, sample.split, digest, file_size(sample.mask), counts)
        for sample, digest, counts in zip(samples, digests, pixels.tolist(), strict=True)
    ]
    return fingerprint(_METHOD, sorted(rows, key=lambda row: row[0]))


def keep_record(findings: Sequence[Finding], of_data: str, *, cache_dir: Path) -> None:
    """Keeps how many findings of each severity there are.

    Args:
        findings: All of them.
        of_data: The fingerprint of the data.
        cache_dir: It is kept in ``inspections`` below it.
    """
    found = Counter(finding.severity for finding in findings)
    content = {severity: found[severity] for severity in SEVERITIES}
    keep_entry(entry_folder(cache_dir, _KIND, of_data), lambda writer: content)


def find_record(of_data: str, *, cache_dir: Path) -> Mapping[str, int] | None:
    """How many findings of each severity an inspection of these data had; None if there is none."""
    again = "inspect the data"
    entry = find_entry(entry_folder(cache_dir, _KIND, of_data), again=again)
    return None if entry is None else {severity: entry.content[severity] for severity in SEVERITIES}
