"""The schema of our own keys. For a ``_target_``, its signature is the schema."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Len

from aerialseg.config.types import Node, Nothing


@dataclass(frozen=True)
class Paths:
    """``conf/paths``: folders of runs, caches and weights."""

    runs_dir: str
    cache_dir: str
    weights_dir: str
    output_dir: str


@dataclass(frozen=True)
class Model:
    """``conf/model``: a network, its weights, and where each stage starts fine-tuning it."""

    network: Node
    weights: str
    mean: Annotated[list[float], Len(3, 3)]
    std: Annotated[list[Annotated[float, Gt(0)]], Len(3, 3)]
    layer_groups: list[str | list[str]]
    fine_tune_start: dict[str, Annotated[int, Ge(0)] | str]


@dataclass(frozen=True)
class Loss:
    """``conf/loss``: the loss, its class weights, and the weight of the auxiliary head."""

    function: Node
    class_weights: Literal["none", "inverse_frequency", "median_frequency", "enet"]
    aux_weight: Annotated[float, Ge(0)]


@dataclass(frozen=True)
class Stage:
    """``conf/stage``: one stage of the curriculum and the stage it starts from."""

    name: str
    previous: str | None
    fine_tune_start: Annotated[int, Ge(0)] | str
    learning_rate: Annotated[float, Gt(0)]
    epochs: Annotated[int, Gt(0)]
    aux_loss: bool
    cache_features: Literal["auto", "on", "off"]
    from_run: str
    load_from: Literal["best", "last"]
    init_checkpoint: str | None


@dataclass(frozen=True)
class Compute:
    """``conf/compute``: settings that speed up the hardware."""

    channels_last: bool
    tf32: bool
    custom_gradients: bool
    compile: bool


@dataclass(frozen=True)
class Experiment:
    """The whole config as plain data: ``conf/config.yaml`` and one choice from each group.

    Our own sections are dataclasses; a :data:`Node` is a dict with a ``_target_``.
    """

    run_name: str
    seed: Annotated[int, Ge(0)]
    existing: Literal["refuse", "resume", "overwrite"]
    checkpoint_from: Literal["best", "last"]
    checkpoint: str
    input: str | None
    paths: Paths
    data: Node
    model: Model
    loss: Loss
    augmentation: Node
    optimizer: Node
    scheduler: Node | Nothing
    stage: Stage
    compute: Compute
    trainer: Node
    callbacks: dict[str, Node]
    logger: Node | Nothing
    task: Mapping[str, object]

    @classmethod
    def from_mapping(cls, config: Mapping[str, Any]) -> "Experiment":
        """Builds it from a resolved and validated config."""
        sections = {"paths": Paths, "model": Model, "loss": Loss, "stage": Stage}
        typed = {name: kind(**config[name]) for name, kind in sections.items()}
        return cls(**{**config, **typed, "compute": Compute(**config["compute"])})

    @property
    def task_options(self) -> dict[str, Any]:
        """The arguments of the task's function, by name."""
        return {key: value for key, value in self.task.items() if key != "name"}

    def to_mapping(self) -> dict[str, Any]:
        """The config as nested plain data."""
        return asdict(self)
