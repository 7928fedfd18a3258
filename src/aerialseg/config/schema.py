"""The schema of our own keys. For a ``_target_``, its signature is the schema."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Len

from aerialseg.config.types import Node, Nothing


@dataclass(frozen=True)
class Paths:
    """``conf/paths``: folders of runs, caches and weights.

    Attributes:
        runs_dir: The run folders.
        cache_dir: What is computed once from a data set and kept; safe to delete between runs.
        weights_dir: Published weights, looked for here before they are downloaded to it.
        output_dir: The folder that a task writes into.
    """

    runs_dir: str
    cache_dir: str
    weights_dir: str
    output_dir: str


@dataclass(frozen=True)
class Model:
    """``conf/model``: a network, its weights, and where each stage starts fine-tuning it.

    Attributes:
        network: What builds the network.
        weights: ``none``, the name of published weights, or a file; read by stages without an
            ``init_checkpoint``.
        mean: Mean of each channel, RGB, of images scaled to 0..1.
        std: Standard deviation of each channel, likewise.
        layer_groups: The network's modules by name, input side first, as
            :func:`~aerialseg.models.layer_groups.layer_groups` reads them.
        fine_tune_start: By stage, the first group that learns: its index or a module's name.
    """

    network: Node
    weights: str
    mean: Annotated[list[float], Len(3, 3)]
    std: Annotated[list[Annotated[float, Gt(0)]], Len(3, 3)]
    layer_groups: list[str | list[str]]
    fine_tune_start: dict[str, Annotated[int, Ge(0)] | str]


@dataclass(frozen=True)
class Loss:
    """``conf/loss``: the loss, its class weights, and the weight of the auxiliary head.

    Attributes:
        function: What builds the loss.
        class_weights: How the weights of the classes follow from their pixel counts.
        aux_weight: Factor of the auxiliary head's loss.
    """

    function: Node
    class_weights: Literal["none", "inverse_frequency", "median_frequency", "enet"]
    aux_weight: Annotated[float, Ge(0)]


@dataclass(frozen=True)
class Stage:
    """``conf/stage``: one stage of the curriculum and the stage it starts from.

    Attributes:
        name: Names the run folder, and the stage's row in ``model.fine_tune_start``.
        previous: The stage that this one starts from; null for the first.
        fine_tune_start: The first layer group that learns: its index or a module's name.
        learning_rate: The optimizer's learning rate.
        epochs: Most epochs; early stopping may end training sooner.
        aux_loss: Whether the network has an auxiliary head, and the loss a part for it.
        cache_features: Whether the frozen part runs once for each image and its output is kept on
            disk: ``auto`` where possible and worth it, ``on`` or an error, ``off`` never.
        from_run: The run that holds the previous stage.
        load_from: Which checkpoint of the previous stage.
        init_checkpoint: The checkpoint to start from; null starts from ``model.weights``.
    """

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
    """``conf/compute``: settings that speed up the hardware.

    Attributes:
        channels_last: Whether the values of a pixel lie together in memory.
        tf32: Whether a GPU may multiply matrices in TensorFloat-32.
        custom_gradients: Whether the default loss, and on a CPU dilated convolutions, use gradients
            of this project instead of autograd's.
        compile: Whether the network goes through ``torch.compile``.
    """

    channels_last: bool
    tf32: bool
    custom_gradients: bool
    compile: bool


@dataclass(frozen=True)
class Experiment:
    """The whole config as plain data: ``conf/config.yaml`` and one choice from each group.

    Our own sections are dataclasses; a :data:`Node` is a dict with a ``_target_``.

    Attributes:
        run_name: The folder below ``paths.runs_dir`` that holds one chain of stages.
        seed: Decides everything random: order, augmentation, initial weights, dropout, split.
        existing: What happens when the output folder already holds a run.
        checkpoint_from: Which checkpoint of the stage ``checkpoint`` means.
        checkpoint: What evaluate, predict, submit and extract_backbone read.
        input: What predict reads: an image, a folder or a quoted glob.
        paths: See :class:`Paths`.
        data: Builds the data module.
        model: See :class:`Model`.
        loss: See :class:`Loss`.
        augmentation: Builds what training images go through.
        optimizer: Builds the optimizer.
        scheduler: Builds what changes the learning rate once an epoch; empty for none.
        stage: See :class:`Stage`.
        compute: See :class:`Compute`.
        trainer: Builds Lightning's trainer.
        callbacks: By name, what happens around training.
        logger: Builds what keeps the curves; empty for none.
        task: The task's name and its options.
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
