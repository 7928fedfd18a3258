"""A network as one graph that takes any number of images of any size."""

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from aerialseg.errors import AerialsegError
from aerialseg.inference.onnx_network import INPUT, OUTPUT, not_installed

_EXAMPLE = (2, 97, 131)
"""Images, height and width that are traced: no multiples of a stride, which might look fixed."""


class LogitsOnly(nn.Module):
    """The logits of a network alone, without its auxiliary head.

    Args:
        network: Returns ``{"out": logits}``.
        half: Whether it computes in float16; what goes in and out stays float32.
    """

    def __init__(self, network: nn.Module, *, half: bool = False) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).half() if half else network
        self.half_precision = half

    def forward(self, images: Tensor) -> Tensor:
        """``(N, C, h, w)`` float32 of ``(N, B, H, W)`` float32."""
        given = images.half() if self.half_precision else images
        return cast("Tensor", self.network(given)["out"].float())


def onnx_model(network: nn.Module, channels: int, *, half: bool = False) -> Any:  # noqa: ANN401 - onnx has no types
    """The network as an ONNX model with dynamic batch, height and width.

    Args:
        network: In eval mode, on the CPU.
        channels: Of the images.
        half: Whether it computes in float16.

    Returns:
        An ``onnx.ModelProto`` with its weights inside, and no trace of this machine.

    Raises:
        AerialsegError: If the network cannot be exported.
        ConfigError: If onnx or onnxscript is not installed.
    """
    check_installed()
    traced, dim = LogitsOnly(network, half=half).eval(), torch.export.Dim
    with _quiet(), _one_line("ONNX"):
        program = torch.onnx.export(
            traced,
            (torch.zeros(_EXAMPLE[0], channels, *_EXAMPLE[1:]),),
            dynamo=True,
            dynamic_shapes=({0: dim("batch"), 2: dim("height"), 3: dim("width")},),
            input_names=[INPUT],
            output_names=[OUTPUT],
            external_data=False,
            verbose=False,
        )
        model = cast("Any", program).model_proto
    _forget_places(model)
    return model


def torch_program(network: nn.Module, channels: int) -> torch.export.ExportedProgram:
    """The network as a ``torch.export`` program with dynamic batch, height and width.

    Args:
        network: In eval mode, on the CPU.
        channels: Of the images.

    Raises:
        AerialsegError: If the network cannot be exported.
    """
    example = (torch.zeros(_EXAMPLE[0], channels, *_EXAMPLE[1:]),)
    auto = torch.export.Dim.AUTO  # a program may have a smallest size, which torch finds out
    sizes = ({0: auto, 2: auto, 3: auto},)
    with _quiet(), _one_line("torch.export"):
        return torch.export.export(
            LogitsOnly(network).eval(), example, dynamic_shapes=sizes, strict=False
        )


def check_installed() -> None:
    """Makes sure that what writes ONNX is there.

    Raises:
        ConfigError: If it is not.
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        try:
            __import__(package)
        except ImportError:
            raise not_installed(package) from None


def save_program(
    program: torch.export.ExportedProgram, path: Path, properties: dict[str, str]
) -> None:
    """Writes a program and its metadata, one text file each inside the archive."""
    files = {f"{name}.json": text for name, text in properties.items()}
    with _quiet():
        torch.export.save(program, path, extra_files=files)


def _forget_places(model: Any) -> None:  # noqa: ANN401 - see above
    """Removes where in which file of this machine each part came from."""
    graph = model.graph
    for part in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    del graph.metadata_props[:]
    del model.metadata_props[:]


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides what the exporters print about their progress."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


@contextmanager
def _one_line(target: str) -> Iterator[None]:
    """Says in one line that a network cannot be exported."""
    try:
        yield
    except Exception as error:  # exporters raise many types
        reason = " ".join(str(error).split())[:200]
        raise AerialsegError(
            f"export: the network cannot be exported to {target}: {reason}; try the other "
            "task.format, or another network"
        ) from error
