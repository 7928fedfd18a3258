"""Broken checkpoints, each with the line that refuses it."""

from helpers import broken
from helpers.broken import checkpoint, cut
from helpers.broken_images import Case

NETWORK = "aerialseg.models.networks.lraspp_mobilenet_v3_large"
OTHER = "get it again, or use the release of aerialseg that wrote it"

CHECKPOINTS = [
    Case("empty.ckpt", lambda: b"", "is empty; get it again"),
    Case("page.ckpt", lambda: b"<html>", "is a web page, not weights; the download went wrong"),
    Case("text.ckpt", lambda: b"hello", "is damaged or cut off (...); get it again"),
    Case("cut.ckpt", lambda: cut(checkpoint(), 0.5), "is cut off after ... bytes; get it again"),
    Case(
        "harm.ckpt",
        lambda: broken.torch_file({"state_dict": broken.Harm()}),
        "holds Python objects (...print), which could run anything when loaded; save its "
        "state_dict alone",
    ),
    Case(
        "foreign.ckpt",
        lambda: broken.torch_file({"weight": broken.torch.zeros(3)}),
        "is not a checkpoint of aerialseg; weights of other projects can start a run instead: "
        "stage=head model.weights=PATH",
    ),
    Case(
        "newer.ckpt",
        lambda: checkpoint(format=2),
        "has checkpoint format 2, this release reads format 1; use the release of aerialseg that "
        "wrote it",
    ),
    Case("lacks.ckpt", lambda: checkpoint(mean=...), f"its description lacks mean; {OTHER}"),
    Case(
        "list.ckpt",
        lambda: checkpoint(classes=["ground", "car"]),
        f"its description is damaged: classes: ...; {OTHER}",
    ),
    Case(
        "two.ckpt",
        lambda: checkpoint(mean=[0.5, 0.5]),
        f"its description is damaged: mean: ...; {OTHER}",
    ),
    Case(
        "zero.ckpt",
        lambda: checkpoint(std=[0.5, 0.0, 0.5]),
        f"its description is damaged: std.1: ...; {OTHER}",
    ),
    Case(
        "text.size.ckpt",
        lambda: checkpoint(image_min_size="64"),
        f"its description is damaged: image_min_size: ...; {OTHER}",
    ),
    Case(
        "violet.ckpt",
        lambda: checkpoint(classes={"ground": [0, 0, 0], "car": [256, 0, 255]}),
        f"its description is damaged: classes.car.0: ...; {OTHER}",
    ),
    Case(
        "colours.ckpt",
        lambda: checkpoint(classes={"ground": [0, 0, 0], "snow": [0, 0, 0]}),
        "its class table: colour (0, 0, 0) is used by ids 0, 1; each needs its own",
    ),
    Case(
        "turned.ckpt",
        lambda: checkpoint(exif_orientation="mirror"),
        f"its description is damaged: exif_orientation: ... 'apply' or 'ignore'; {OTHER}",
    ),
    Case(
        "state.ckpt",
        lambda: broken.torch_file({"state_dict": {"network.a": "b"}, "aerialseg": {}}),
        "is not a checkpoint of aerialseg; weights of other projects can start a run instead: "
        "stage=head model.weights=PATH",
    ),
    Case(
        "shell.ckpt",
        lambda: checkpoint(network={"_target_": "os.system", "command": "true"}),
        "names the network 'os.system'; only builders of aerialseg.models.networks are accepted, "
        "and those that installed packages register as aerialseg.networks",
    ),
    Case(
        "unfit.ckpt",
        lambda: checkpoint(network={"_target_": NETWORK, "num_classes": 2}),
        f"does not fit the network it describes: ...; {OTHER}",
    ),
    Case(
        "many.ckpt",
        lambda: checkpoint(network={"_target_": NETWORK, "num_classes": 10**15}),
        f"does not fit the network it describes: ...; {OTHER}",
    ),
    Case(
        "hub.ckpt",
        lambda: checkpoint(
            network={
                "_target_": "aerialseg.models.networks.segmentation_models_pytorch",
                "num_classes": 2,
                "architecture": "unet",
                "encoder_name": "tu-hf-hub:someone/something",
            }
        ),
        "does not fit the network it describes: network: encoder_name 'tu-hf-hub:someone/something'"
        f" is a location to load from...; {OTHER}",
    ),
]
