"""Findings about single files: what training would refuse, kind by kind."""

from collections.abc import Iterator, Mapping, Sequence

from aerialseg.data.checks.finding import Finding, found
from aerialseg.data.checks.inspected import Examined, Fault
from aerialseg.data.checks.sample_checks import SampleChecks, Turned, turned_line
from aerialseg.data.images.mask_errors import MaskError, UnknownValuesError
from aerialseg.data.layouts.listing import Sample
from aerialseg.data.layouts.listing_faults import ListingFault
from aerialseg.durations import counted

_UNREADABLE = "unreadable_image"
_WORDS: Mapping[str, str] = {
    _UNREADABLE: "that cannot be read",
    "unreadable_mask": "with a mask that cannot be used",
    "ids_out_of_range": "with ids of no class in the mask",
    "colours_of_no_class": "with colours of no class in the mask",
    "mask_is_lossy": "with a mask in a format that changes values, as JPEG does",
    "mask_looks_like_colours": "with a mask painted in colours where class ids are expected",
    "mask_looks_like_ids": "with a mask of class ids where colours are expected",
    "sizes_differ": "with a mask of another size",
}
"""What several images with one kind of fault have in common."""
_STEPS: Mapping[str, str] = {
    "sizes_differ": "export the mask again at the size of its image, or take both out",
}
"""What to do where the line of training says only what it wanted."""


def listing_findings(faults: Sequence[ListingFault]) -> Iterator[Finding]:
    """Files without a counterpart."""
    for fault in faults:
        yield found("error", fault.code, fault.problem, fault.files)


def file_findings(examined: Sequence[Examined], checks: SampleChecks) -> Iterator[Finding]:
    """What is wrong with files, a finding for each kind of fault and remedy.

    Args:
        examined: All samples, also those without a fault.
        checks: That were made.
    """
    turned = [fault for each in examined for fault in each.faults if isinstance(fault, Turned)]
    if turned:
        ids = [each.sample.id for each in turned]
        yield found("error", "exif_orientation_unsaid", turned_line(turned), ids)
    sound = [each.counts[None, :-1] for each in examined if each.counts is not None]
    shifted = checks.shifted([*sound, *(fault for each in examined for fault in each.faults)])
    for (code, advice), cases in _by_kind(examined).items():
        message = cases[0][1]
        if len(cases) > 1:
            message = f"{counted(len(cases), 'image')} {_WORDS[code]}, the first: {message}"
        if code == UnknownValuesError.code and shifted is not None:
            said, _, advice = shifted.partition("; ")
            message = f"{message}, together {said}"
        ids = [sample.id for sample, _ in cases]
        yield found("error", code, message, ids, next_step=advice or _STEPS.get(code, ""))
    if not any(each.faults for each in examined):
        samples = [each.sample for each in examined]
        for line in checks.kind_problems(samples):
            yield found("error", "bands_differ", line, [sample.id for sample in samples])


def _by_kind(
    examined: Sequence[Examined],
) -> Mapping[tuple[str, str], list[tuple[Sample, str]]]:
    """By code and advice, the samples with what was found of each."""
    kinds: dict[tuple[str, str], list[tuple[Sample, str]]] = {}
    for each in examined:
        for fault in each.faults:
            for problem in () if isinstance(fault, Turned) else fault.problems:
                message, advice = _parts(problem)
                key = (_code(fault, each.sample, problem), advice)
                kinds.setdefault(key, []).append((each.sample, message))
    return kinds


def _parts(problem: str) -> tuple[str, str]:
    """What was found, with what was wanted, and what to do."""
    message, _, advice = problem.partition("; ")
    if advice.startswith("wanted "):
        wanted, _, advice = advice.partition("; ")
        message = f"{message}; {wanted}"
    return message, advice


def _code(fault: Fault, sample: Sample, problem: str) -> str:
    if isinstance(fault, MaskError):
        return fault.code
    is_of_mask = sample.mask is not None and problem.startswith(f"{sample.mask}: ")
    return MaskError.code if is_of_mask else _UNREADABLE
