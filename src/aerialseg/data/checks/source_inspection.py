"""The inspection of one data set: every file read, checked and measured, none ending it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aerialseg.data.cache.measurements import image_measurements, mask_counts
from aerialseg.data.checks.file_findings import file_findings, listing_findings
from aerialseg.data.checks.finding import Finding, found
from aerialseg.data.checks.in_parallel import Progress, in_parallel
from aerialseg.data.checks.inspected import Examined, Fault, InspectedImage
from aerialseg.data.checks.label_findings import label_findings
from aerialseg.data.checks.look_findings import look_findings
from aerialseg.data.checks.sample_checks import SampleChecks
from aerialseg.data.layouts.listing import Sample, listed
from aerialseg.data.layouts.listing_faults import ListingFault, noting_faults
from aerialseg.data.sources.data_sources import Source
from aerialseg.data.sources.splits import split_samples
from aerialseg.durations import counted
from aerialseg.errors import DataError


@dataclass(frozen=True, eq=False)
class SourceInspection:
    """What was found in one data set.

    Attributes:
        images: In the order of their listing.
        findings: About files, labels and looks.
        samples: As they are listed.
        is_whole: Whether nothing keeps these data from being trained on as they are listed.
    """

    images: tuple[InspectedImage, ...]
    findings: tuple[Finding, ...]
    samples: tuple[Sample, ...]
    is_whole: bool


def inspected_source(source: Source, name: str, progress: Progress) -> SourceInspection:
    """Reads every image and mask of a data set.

    Args:
        source: The data set.
        name: Its name, which becomes the beginning of the ids; empty if it is the only one.
        progress: Shows how far it is.

    Raises:
        DataError: If its files cannot be listed, or the class table cannot be read.
        ConfigError: If a setting is not of its kind.
    """
    samples, faults = _listed(source)
    checks = SampleChecks(source.reading.unmapped)
    cache_dir = source.cache_dir

    def examine(sample: Sample) -> Examined:
        measured, faults_here = None, list[Fault]()
        try:
            measured = image_measurements(sample.image, checks.reading, cache_dir=cache_dir)
        except DataError as error:
            faults_here.append(error)
        counts = mask_counts(sample, checks, cache_dir=cache_dir)
        if isinstance(counts, np.ndarray) and not faults_here:
            return Examined(sample, measured, counts, ())
        if not isinstance(counts, np.ndarray) and not (
            faults_here and _is_of_image(counts, sample)
        ):
            faults_here.append(counts)  # a file that cannot be read is one fault, not two
        return Examined(sample, measured, None, tuple(faults_here))

    examined = in_parallel(examine, samples, progress, f"inspect {name}".rstrip())
    divided, no_split = _divided(source, examined)
    findings = [
        *listing_findings(faults),
        *file_findings(examined, checks),
        *no_split,
        *label_findings(examined, checks.reading.given_encoding),
        *look_findings(examined),
    ]
    is_whole = not faults and all(finding.severity != "error" for finding in no_split)
    is_whole = is_whole and not any(each.faults for each in examined)
    if name:
        findings = [_with_name(finding, name) for finding in findings]
    images = tuple(_image(each, divided, source, name) for each in examined)
    return SourceInspection(images, tuple(findings), tuple(samples), is_whole)


def _is_of_image(fault: object, sample: Sample) -> bool:
    """Whether a fault is the image's alone, in whatever words."""
    starts = f"{sample.image}: "
    return isinstance(fault, DataError) and all(p.startswith(starts) for p in fault.problems)


def _listed(source: Source) -> tuple[Sequence[Sample], Sequence[ListingFault]]:
    """What the layout finds, and the files that it has to leave out."""
    with noting_faults() as faults:
        try:
            return listed(source.layout, source.root, source.cache_dir).samples, tuple(faults)
        except KeyError:  # a layout of a package that does not go by what check_pairs returns
            if faults:
                raise DataError(*(fault.problem for fault in faults)) from None
            raise


def _divided(
    source: Source, examined: Sequence[Examined]
) -> tuple[dict[str, Sample], list[Finding]]:
    """The sound samples by id with their splits, as training would split them without the others.

    They keep what they have if that is not possible, which is a finding.
    """
    sound = [each for each in examined if each.counts is not None]
    samples = tuple(each.sample for each in sound)
    rows = [each.counts[:-2] > 0 for each in sound if each.counts is not None]
    presence = np.array(rows, dtype=bool).reshape(len(sound), len(source.class_map.own))
    try:
        samples = split_samples(samples, presence, source.split, cache_dir=source.cache_dir)
    except DataError as error:
        findings = [found("error", "no_split", problem) for problem in error.problems]
        return {sample.id: sample for sample in samples}, findings
    findings = []
    broken = [each for each in examined if each.counts is None and each.sample.split is None]
    if broken:
        line = (
            f"the split is that of {counted(len(sound), 'image')}, without "
            f"{counted(len(broken), 'image')} that cannot be used, and may change once they can; "
            "mend them and inspect again"
        )
        findings.append(found("note", "provisional_split", line))
    return {sample.id: sample for sample in samples}, findings


def _image(each: Examined, divided: dict[str, Sample], source: Source, name: str) -> InspectedImage:
    """One image, with its pixels by the classes that are trained."""
    sample = divided.get(each.sample.id, each.sample)
    if name:
        sample = replace(sample, id=f"{name}/{sample.id}", data_set=name)
    if each.counts is None or sample.mask is None:
        return InspectedImage(sample, each.measured, None, 0, 0, is_sound=not each.faults)
    own = each.counts[None, :-2]
    mapped = source.reading.class_map
    pixels = own if mapped is None else mapped.counts(own)
    ignored = int(each.counts[-2]) + int(own.sum() - pixels.sum())
    nodata = int(each.counts[-1])
    return InspectedImage(sample, each.measured, pixels[0], ignored, nodata, is_sound=True)


def _with_name(finding: Finding, name: str) -> Finding:
    return replace(finding, files=tuple(f"{name}/{key}" for key in finding.files))
