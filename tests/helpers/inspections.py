"""Inspections of folders, and what they found."""

from aerialseg.data.checks.inspection import inspected
from helpers.grouped_data import data_module


def shown(items, description):
    return items


def inspect(root, progress=shown, **changes):
    data = data_module(root, **changes)
    return inspect_data(data, root, progress)


def inspect_data(data, root, progress=shown):
    cache_dir = root.parent / "cache"
    output_dir = root.parent / "out"
    return inspected(data.sources, output_dir=output_dir, cache_dir=cache_dir, progress=progress)


def codes(inspection):
    return [(each.severity, each.code) for each in inspection.findings]


def the(inspection, code):
    (finding,) = [each for each in inspection.findings if each.code == code]
    return finding
