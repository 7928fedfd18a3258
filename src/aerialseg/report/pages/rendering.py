"""Fills templates; the styles, scripts and charts of pages go into the file itself."""

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_ASSETS = "assets"


def render_page(template: str, **context: object) -> str:
    """The HTML of a page; text is escaped, so that no name of a file or class is markup.

    Args:
        template: Its name in ``assets``.
        context: What it shows.
    """
    environment = _environment(escapes=True)
    return environment.get_template(template).render(css=asset("page.css"), **context)


def render_text(template: str, *, cell: Callable[[str], str], **context: object) -> str:
    """Text that is not HTML.

    Args:
        template: Its name in ``assets``.
        cell: The template's filter of that name, which keeps names from being markup.
        context: What it shows.
    """
    environment = _environment(escapes=False)
    environment.filters["cell"] = cell
    return environment.get_template(template).render(**context) + "\n"


def _environment(*, escapes: bool) -> Environment:
    return Environment(
        loader=PackageLoader(__package__, _ASSETS),
        autoescape=escapes,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def asset(name: str) -> Markup:
    """A style or script as it is; ours, so it needs no escape."""
    return Markup(files(__package__).joinpath(_ASSETS, name).read_text(encoding="utf-8"))


def as_json(value: Any) -> Markup:  # noqa: ANN401 - plain data of any shape
    """Data for a script element: JSON in which nothing can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


@cache
def vega() -> Markup:
    """What draws charts in the browser, about 0.9 MB: Vega, Vega-Lite and vega-embed."""
    import vl_convert  # loads slowly

    # Its stubs ask for a snippet; without one it is the libraries alone.
    bundle: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]
    return Markup(bundle.replace("</script", "<\\/script"))
