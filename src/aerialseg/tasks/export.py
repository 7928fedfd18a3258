"""A network for other runtimes: one file, with the proof that it says the same."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.config.typed_overrides import command_overrides, override_key
from aerialseg.data.images.reading import read_image
from aerialseg.errors import ConfigError
from aerialseg.export.certificate import BOUNDS, Bounds, Certificate, Precision
from aerialseg.export.compared_images import ComparedImages, Image, generated_scenes
from aerialseg.export.model_export import Comparison, Exported, export_onnx, export_program
from aerialseg.export.traced_network import check_installed
from aerialseg.inference.inputs import find_images
from aerialseg.inference.predictor import Predictor
from aerialseg.report.path_links import PathLink
from aerialseg.report.sheet_rows import image_array
from aerialseg.storage.model_seal import EXPORTS, SUFFIX
from aerialseg.storage.run_folders import RunFolder
from aerialseg.training.chosen_checkpoint import check_chosen_checkpoint
from aerialseg.training.scored_dataset import data_as_trained, served_at_original_size
from aerialseg.training.scored_images import ScoredSplit, scored_images
from aerialseg.training.threads import use_threads

logger = logging.getLogger(__name__)


@task(reads_data=True, reads_checkpoint=True)
def export(
    experiment: Experiment,
    *,
    format: Literal["onnx", "torch_export"] = "onnx",
    precision: Precision = "float32",
    images: str | None = None,
    split: ScoredSplit | None = None,
    max_images: Annotated[int, Ge(1)] = 64,
    max_miou_difference: Annotated[float, Gt(0), Le(1)] | None = None,
    min_agreement: Annotated[float, Gt(0), Le(1)] | None = None,
) -> Path:
    """Writes a model that takes images of any size, if it says what the network says in torch.

    It holds its checkpoint's description, images with the masks it gives for them, and the proof.

    Args:
        experiment: The config; ``checkpoint`` is exported.
        format: One ``.onnx`` file, or a program of ``torch.export`` (``.pt2``).
        precision: ``float16`` and ``int8`` are smaller; int8 is quantised by the images.
        images: A folder of images to compare on, and to take the probes from; None for scenes.
        split: The labelled images of ``data`` to compare on, as in evaluate; None for no labels.
        max_images: The most images that are compared.
        max_miou_difference: The bound with labels; None for that of the precision.
        min_agreement: The bound without labels, the least share of pixels with the same class.

    Returns:
        Its path.

    Raises:
        ConfigError: If options contradict each other, or a package is missing.
        AerialsegError: If the model misses its bound.
    """
    _check_options(format, precision, images, split)
    experiment = _beside_the_run(experiment)
    use_threads(experiment.compute.threads, device="cpu")
    predictor = Predictor(Path(experiment.only_checkpoint))
    check_chosen_checkpoint(experiment, predictor.description)
    bounds = _bounds(precision, max_miou_difference, min_agreement)
    folder = Path(experiment.paths.output_dir)
    own = None if images is None else _own_images(images, predictor, folder)
    compared, calibration = _compared(experiment, predictor, own, split, precision)
    comparison = Comparison(compared.evenly(max_images), bounds, calibration, own)
    if format == "torch_export":
        done = export_program(predictor, folder / "model.pt2", comparison)
    else:
        name = "model" if precision == "float32" else f"model_{precision}"
        path = folder / f"{name}{SUFFIX}"
        done = export_onnx(predictor, path, comparison, precision=precision)
    _say(done)
    return done.path


def _check_options(format: str, precision: str, images: str | None, split: str | None) -> None:
    """Raises ConfigError for options that do not go together, or if a package is missing."""
    if format == "torch_export" and precision != "float32":
        raise ConfigError(
            f"task.precision: is {precision}, but task.format=torch_export writes float32; set "
            "task.format=onnx or task.precision=float32"
        )
    if images is not None and split is not None:
        raise ConfigError(
            "task.images: task.split compares on the labelled images of data instead; leave one out"
        )
    if format == "onnx":
        check_installed()


def _bounds(
    precision: Precision, max_miou_difference: float | None, min_agreement: float | None
) -> Bounds:
    """Those of the precision, unless others were typed."""
    known = BOUNDS[precision]
    return replace(
        known,
        argmax_agreement=min_agreement or known.argmax_agreement,
        miou_difference=max_miou_difference or known.miou_difference,
    )


def _beside_the_run(experiment: Experiment) -> Experiment:
    """With ``export`` beside the training of the checkpoint, unless a folder was typed."""
    own = RunFolder.of_checkpoint(Path(experiment.only_checkpoint).expanduser())
    if "paths.output_dir" in map(override_key, command_overrides()) or not own.holds_run():
        return experiment
    folder = str(own.path.parent / EXPORTS)
    return replace(experiment, paths=replace(experiment.paths, output_dir=folder))


def _compared(
    experiment: Experiment,
    predictor: Predictor,
    own: ComparedImages | None,
    split: ScoredSplit | None,
    precision: Precision,
) -> tuple[ComparedImages, ComparedImages]:
    """The images that are compared, and those that int8 takes its ranges from: others if it can."""
    if split is not None:
        found = _labelled(experiment, predictor, split)
    else:
        found = own or generated_scenes(predictor.description.channels)
    if precision != "int8":
        return found, found
    if split == "val":
        return found, _labelled(experiment, predictor, "train")
    calibration, compared = found.halves()
    return compared, calibration


def _own_images(source: str, predictor: Predictor, output_dir: Path) -> ComparedImages:
    """The images of a folder, read as for training."""
    paths = list(find_images(source, output_dir=output_dir))
    reading = predictor.reading
    return ComparedImages(
        "image",
        len(paths),
        lambda index: (read_image(paths[index], reading), None),
        place=" of task.images",
    )


def _labelled(experiment: Experiment, predictor: Predictor, split: ScoredSplit) -> ComparedImages:
    """Labelled images of the data, at their original size, whole or in windows as in evaluate."""
    data = data_as_trained(experiment, predictor)
    chosen = scored_images(data, split, predictor.description.seen, experiment.only_checkpoint)
    scored = served_at_original_size(predictor, data, chosen)

    def load(index: int) -> tuple[Image, Image]:
        sample = scored.dataset[index]
        return image_array(sample), sample["mask"].numpy()

    count = len(scored.served)
    return ComparedImages("image", count, load, are_labelled=True, place=f" of {split}")


def _say(done: Exported) -> None:
    """Logs what was measured and where the file is."""
    found, way = done.certificate, done.tried[-1][0] if done.tried else ""
    for tried, each in done.tried[:-1]:
        logger.info("int8 %s: %s", tried, _measured(each))
    logits = max(parity.max_logit_difference for parity in (*found.sizes.values(), found.images))
    logger.info(
        "%s%s: %s; logits differ by at most %.2g of %.3g, also at %s",
        found.precision,
        f" {way}" if way else "",
        _measured(found),
        logits,
        max(parity.largest_logit for parity in (*found.sizes.values(), found.images)),
        ", ".join(found.sizes),
    )
    size = done.path.stat().st_size / 1e6
    logger.info("%s: %.1f MB, one file with its certificate", PathLink(done.path), size)


def _measured(certificate: Certificate) -> str:
    """The scores of a certificate in words."""
    agreement = f"{certificate.images.argmax_agreement:.3%} of the pixels as in torch"
    if certificate.labelled:
        return (
            f"{agreement} on {certificate.source}, mIoU {certificate.miou_exported:.4f} (torch "
            f"{certificate.miou_torch:.4f})"
        )
    against = f"mIoU against its masks {certificate.miou_exported:.4f}"
    return f"{agreement} on {certificate.source}, {against}"
