"""An inspection on the terminal: the classes of each split, and the findings, worst first."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aerialseg.data.checks.finding import SEVERITIES
from aerialseg.data.checks.inspection import Inspection
from aerialseg.durations import counted
from aerialseg.report.inspection_files import images_by_split, severities, statistics
from aerialseg.report.printing import print_whole

_SHOWN = 3  # ids of a finding
_WIDTH = 120  # columns of the table in a file or a pipe
_STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def show_inspection(inspection: Inspection) -> None:
    """Prints the table of classes and the table of findings."""
    print_whole(_classes(inspection), *_totals(inspection))
    if not inspection.findings:
        return
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH)
    console.print(_findings(inspection))


def summary(inspection: Inspection) -> str:
    """``2 errors, 1 warning, 3 notes``; or that nothing was found."""
    counts = severities(inspection)
    if not inspection.findings:
        return "nothing is wrong"
    return ", ".join(counted(counts[each], each) for each in SEVERITIES if counts[each])


def _classes(inspection: Inspection) -> Table:
    """For each class its share of the pixels, and the images that it occurs in, by split."""
    table = Table(title="Data", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("class")
    columns = []
    for name, images in images_by_split(inspection):
        facts = statistics(images, inspection.classes)
        if facts["without_mask"] == facts["images"]:
            continue
        pixels, present = facts["class_pixels"], facts["images_with_class"]
        total = max(1, sum(pixels.values()))
        columns.append([f"{pixels[each] / total:.2%}" for each in inspection.classes])
        columns.append([str(present[each]) for each in inspection.classes])
        table.add_column(f"{name or 'not split'}: pixels", justify="right")
        table.add_column(f"of {counted(facts['images'], 'image')}", justify="right")
    for name, *cells in zip(inspection.classes, *columns, strict=True):
        table.add_row(escape(name), *cells)
    return table


def _totals(inspection: Inspection) -> list[str]:
    """What was inspected, in one line."""
    parts = []
    for name, images in images_by_split(inspection):
        facts = statistics(images, inspection.classes)
        bare = f" ({facts['without_mask']} without masks)" if facts["without_mask"] else ""
        parts.append(f"{facts['images']} {name or 'not split'}{bare}")
    broken = sum(not image.is_sound for image in inspection.images)
    parts += [f"{broken} with faults"] if broken else []
    number = counted(len(inspection.images), "image")
    pairs = counted(len(inspection.pairs), "pair")
    return [f"{inspection.place}: {number}: {', '.join(parts)}; {pairs} of images of one place"]


def _findings(inspection: Inspection) -> Table:
    """A row for each finding, with what to do and the first images."""
    table = Table(title="Findings", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("severity", no_wrap=True)
    table.add_column("finding, and what to do", ratio=3, overflow="fold")
    table.add_column("images", ratio=1, overflow="fold")
    for finding in inspection.findings:
        style = _STYLES[finding.severity]
        text = f"[bold]{finding.code}[/]: {escape(finding.message)}"
        if finding.next_step:
            text += f"\n-> {escape(finding.next_step)}"
        table.add_row(f"[{style}]{finding.severity}[/]", text, _ids(finding.files))
    return table


def _ids(files: Sequence[str]) -> str:
    """The first ids, and how many more there are."""
    more = len(files) - _SHOWN
    shown = [escape(key) for key in files[:_SHOWN]]
    return "\n".join([*shown, *([f"and {more} more"] if more > 0 else [])])
