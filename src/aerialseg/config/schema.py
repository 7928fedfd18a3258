"""The schema of our own keys. For a ``_target_``, its signature is the schema."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, TypeAlias

from annotated_types import Ge, Gt, Le, Len

from aerialseg.config.types import Node, Nothing
from aerialseg.seeds import Seed


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
        mean: Mean of each channel of images scaled to 0..1: of red, green and blue, or of each of
            ``data.bands``.
        std: Standard deviation of each channel, likewise.
        layer_groups: The network's modules by name, input side first, as
            :func:`~aerialseg.models.layer_groups.layer_groups` reads them.
        fine_tune_start: By stage, the first group that learns: its index or a module's name.
    """

    network: Node
    weights: str
    mean: Annotated[list[float], Len(1, 64)]
    std: Annotated[list[Annotated[float, Gt(0)]], Len(1, 64)]
    layer_groups: list[str | list[str]]
    fine_tune_start: dict[str, Annotated[int, Ge(0)] | str]


@dataclass(frozen=True)
class Distillation:
    """``loss.distillation``: trained networks whose opinion is learned beside the labels.

    The loss becomes ``(1 - weight) * loss + weight * temperature**2 * KL(teacher || student)``.

    Attributes:
        teacher: A checkpoint of this project, of any network; or a list of checkpoints, whose
            probabilities are averaged.
        weight: The share of the teacher; at 0 the labels alone teach, at 1 the teacher alone.
        temperature: What the logits of both are divided by; more than 1 shows more of what the
            teacher thinks of the classes that it does not choose.
    """

    teacher: str | Annotated[list[str], Len(1, 16)]
    weight: Annotated[float, Ge(0), Le(1)] = 0.5
    temperature: Annotated[float, Ge(0.01), Le(100)] = 1.0

    @property
    def teachers(self) -> list[str]:
        """The checkpoints, also of one."""
        return [self.teacher] if isinstance(self.teacher, str) else list(self.teacher)


ClassWeights: TypeAlias = (
    Literal["none", "inverse_frequency", "median_frequency", "enet", "sqrt_enet"]
    | list[Annotated[float, Gt(0)]]
    | dict[str, Annotated[float, Gt(0)]]
)


@dataclass(frozen=True)
class Loss:
    """``conf/loss``: the loss, its class weights, and the weight of the auxiliary head.

    Attributes:
        function: What builds the loss.
        class_weights: How the weights of the classes follow from their pixel counts, or the
            weights: a list in the order of the class ids, or a mapping by class name.
        aux_weight: Factor of the auxiliary head's loss.
        distillation: Trained networks that teach beside the labels; null for none.
    """

    function: Node
    class_weights: ClassWeights
    aux_weight: Annotated[float, Ge(0)]
    distillation: Distillation | None = None

    @classmethod
    def from_mapping(cls, section: Mapping[str, Any]) -> "Loss":
        """Builds it from a resolved and validated section."""
        given = section.get("distillation")
        distillation = None if given is None else Distillation(**given)
        return cls(**{**section, "distillation": distillation})


@dataclass(frozen=True)
class Optimizer:
    """``conf/optimizer``: the optimizer, and its learning rate by layer and in the first steps.

    Attributes:
        function: What builds the optimizer.
        layer_decay: The learning rate of a layer group relative to the group above it, from the
            last group down, which has the full one; 1 for the same in all.
        fresh_factor: Factor of the learning rate of layer groups that are random when the stage
            begins, because neither weights nor a stage before trained them.
        warmup_steps: Optimizer steps in which the learning rate rises to its full value; 0 for
            none.
    """

    function: Node
    layer_decay: Annotated[float, Gt(0), Le(1)]
    fresh_factor: Annotated[float, Gt(0)]
    warmup_steps: Annotated[int, Ge(0)]


@dataclass(frozen=True)
class Recipe:
    """``conf/recipe``: how the stages are trained; the tables have a row for each stage.

    Attributes:
        name: As the file.
        stages: Those that a curriculum trains, in order; null for all, in the order given by
            ``previous``.
        epochs: Most epochs; early stopping may end training sooner.
        scale: Factor of all epochs; each stage has at least one.
        learning_rate: The optimizer's learning rate.
        augmentation: Choices of the group ``augmentation``.
        class_weights: Of ``loss=dice_cross_entropy``; other losses have their own.
        crops: Edges of square training crops relative to the shorter edge that validation shows
            (``data.image_min_size``, else ``data.window``); null for whole images.
        fresh: See :class:`Stage`.
        load_from: See :class:`Stage`.
    """

    name: str
    stages: list[str] | None
    epochs: dict[str, Annotated[int, Gt(0)]]
    scale: Annotated[float, Gt(0), Le(1000)]
    learning_rate: dict[str, Annotated[float, Gt(0)]]
    augmentation: dict[str, str]
    crops: dict[str, Annotated[float, Gt(0), Le(4)] | None]
    class_weights: ClassWeights
    fresh: Literal["learn", "freeze"]
    load_from: Literal["best", "last"]


@dataclass(frozen=True)
class Stage:
    """``conf/stage``: one stage of the curriculum and the stage it starts from.

    Attributes:
        name: Names the run folder, and the stage's row in ``model.fine_tune_start``.
        previous: The stage that this one starts from; null for the first.
        fine_tune_start: The first layer group that learns: its index or a module's name.
        fresh: Whether layer groups below it that are still random, because neither weights nor a
            stage before trained them, ``learn`` too, or are frozen (``freeze``) as they are.
        learning_rate: The optimizer's learning rate.
        epochs: Most epochs; early stopping may end training sooner.
        aux_loss: Whether the network has an auxiliary head, and the loss a part for it.
        cache_features: Whether the frozen part runs once for each image and its output is kept on
            disk: ``auto`` where possible and worth it, ``on`` or an error, ``off`` never.
        from_run: The run that holds the previous stage.
        load_from: Which checkpoint of the previous stage.
        init_checkpoint: The checkpoint to start from; null starts from ``model.weights``.
        renamed_classes: By name of a class that the checkpoint to start from does not have: the
            name that it has there, or null for a class that is new; null if there are none.
    """

    name: str
    previous: str | None
    fine_tune_start: Annotated[int, Ge(0)] | str
    fresh: Literal["learn", "freeze"]
    learning_rate: Annotated[float, Gt(0)]
    epochs: Annotated[int, Gt(0)]
    aux_loss: bool
    cache_features: Literal["auto", "on", "off"]
    from_run: str
    load_from: Literal["best", "last"]
    init_checkpoint: str | None
    renamed_classes: dict[str, str | None] | None


@dataclass(frozen=True)
class Compute:
    """``conf/compute``: settings that speed up the hardware.

    Attributes:
        channels_last: Whether the values of a pixel lie together in memory.
        tf32: Whether a GPU may multiply matrices in TensorFloat-32.
        custom_gradients: Whether Dice or Jaccard plus cross-entropy, and on a CPU dilated
            convolutions, use gradients of this project instead of autograd's.
        compile: Whether the network goes through ``torch.compile``.
        threads: How many threads torch uses on the CPU; ``auto`` for its own number, but no more
            than CPUs that this process may use.
    """

    channels_last: bool
    tf32: bool
    custom_gradients: bool
    compile: bool
    threads: Annotated[int, Ge(1), Le(1024)] | Literal["auto"]


@dataclass(frozen=True)
class Experiment:
    """The whole config as plain data: ``conf/config.yaml`` and one choice from each group.

    Our own sections are dataclasses; a :data:`Node` is a dict with a ``_target_``.

    Attributes:
        run_name: The folder below ``paths.runs_dir`` that holds one chain of stages.
        seed: Decides everything random but the split: order, augmentation, new weights, dropout.
        existing: What happens when the output folder already holds a run: an error, going on with
            the same run, training a finished one longer or at another rate, or beginning anew.
        checkpoint_from: Which checkpoint of the stage ``checkpoint`` means.
        checkpoint: What evaluate, predict and submit read, also a list, and extract_backbone; or
            what inspect judges labels by: a checkpoint, a list of those of several folds, or null.
        input: What predict reads, an image, a folder or a quoted glob; or what convert_annotations
            reads, annotations or a folder of them.
        paths: See :class:`Paths`.
        data: Builds the data module.
        model: See :class:`Model`.
        loss: See :class:`Loss`.
        augmentation: Builds what training images go through.
        optimizer: See :class:`Optimizer`.
        scheduler: Builds what changes the learning rate, each step or each epoch; empty for none.
        recipe: See :class:`Recipe`.
        stage: See :class:`Stage`.
        compute: See :class:`Compute`.
        trainer: Builds Lightning's trainer.
        callbacks: By name, what happens around training.
        logger: Builds what keeps the curves; empty for none.
        task: The task's name and its options.
    """

    run_name: str
    seed: Seed
    existing: Literal["refuse", "resume", "extend", "overwrite"]
    checkpoint_from: Literal["best", "last"]
    checkpoint: str | Annotated[list[str], Len(1, 64)] | None
    input: str | None
    paths: Paths
    data: Node
    model: Model
    loss: Loss
    augmentation: Node
    optimizer: Optimizer
    scheduler: Node | Nothing
    recipe: Recipe
    stage: Stage
    compute: Compute
    trainer: Node
    callbacks: dict[str, Node]
    logger: Node | Nothing
    task: Mapping[str, object]

    @classmethod
    def from_mapping(cls, config: Mapping[str, Any]) -> "Experiment":
        """Builds it from a resolved and validated config."""
        kinds = {"paths": Paths, "model": Model, "optimizer": Optimizer, "stage": Stage}
        kinds |= {"recipe": Recipe, "compute": Compute}
        sections = {name: kind(**config[name]) for name, kind in kinds.items()}
        return cls(**{**config, **sections, "loss": Loss.from_mapping(config["loss"])})

    @property
    def only_checkpoint(self) -> str:
        """The checkpoint of a task that reads one, as the validator makes sure."""
        if not isinstance(self.checkpoint, str):
            raise TypeError(f"checkpoint: is {self.checkpoint}; wanted one path")
        return self.checkpoint

    @property
    def checkpoints(self) -> list[str]:
        """All checkpoints of a task that may read several."""
        return (
            [self.checkpoint] if isinstance(self.checkpoint, str) else list(self.checkpoint or ())
        )

    @property
    def task_options(self) -> dict[str, Any]:
        """The arguments of the task's function, by name."""
        return {key: value for key, value in self.task.items() if key != "name"}

    def to_mapping(self) -> dict[str, Any]:
        """The config as nested plain data."""
        return asdict(self)
