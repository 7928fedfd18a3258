"""What an exported model says about itself, beside its graph."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aerialseg.errors import CheckpointError
from aerialseg.inference.probes import Probe
from aerialseg.storage.checkpoints import Description, describe, read_description

_DESCRIPTION, _USE = "aerialseg", "aerialseg.use"
_PROBES, _CERTIFICATE = "aerialseg.probes", "aerialseg.certificate"

USE = (
    "images: float32 (batch, bands, height, width), RGB or the bands in 'aerialseg'. Resize the "
    "8-bit image so that its smaller edge is image_min_size (null: as it is; with a window the "
    "scale is image_min_size divided by the window's smaller edge), averaging areas where it "
    "shrinks and bilinearly where it grows; divide by 255, subtract mean, divide by std. logits: "
    "float32 (batch, classes, rows, columns); resize them bilinearly, pixel centres aligned "
    "(align_corners=False), to the size of the original image; the class is the index of the "
    "largest. classes: name to RGB, in the order of the indices."
)
"""How the model is used, in words, for readers that are not this project."""


@dataclass(frozen=True)
class ModelMetadata:
    """What an exported model holds beside its graph.

    Attributes:
        description: That of its checkpoint: all that prediction needs.
        certificate: What was measured against the network in torch.
        probes: Images and the masks that the model gives for them.
    """

    description: Description
    certificate: Mapping[str, Any]
    probes: Sequence[Probe]

    def to_properties(self) -> dict[str, str]:
        """As ONNX keeps it: texts by name."""
        described: dict[str, Any] = {}
        describe(described, self.description)
        return {
            _DESCRIPTION: json.dumps(described["aerialseg"]),
            _USE: USE,
            _CERTIFICATE: json.dumps(self.certificate),
            _PROBES: json.dumps([probe.to_mapping() for probe in self.probes]),
        }

    @classmethod
    def from_properties(cls, properties: Mapping[str, str], path: Path) -> "ModelMetadata":
        """What :meth:`to_properties` returned.

        Args:
            properties: Of the model.
            path: Of its file, for messages.

        Raises:
            CheckpointError: If a part is missing, or not what it should be.
        """
        try:
            parts = {
                key: json.loads(properties[key]) for key in (_DESCRIPTION, _CERTIFICATE, _PROBES)
            }
            probes = [Probe.from_mapping(each) for each in parts[_PROBES]]
            described, certificate = dict(parts[_DESCRIPTION]), dict(parts[_CERTIFICATE])
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{path}: its metadata are not those that task=export writes ({error}); export it "
                "again"
            ) from error
        return cls(read_description({"aerialseg": described}, path), certificate, probes)
