"""One combination: its files, the commands that are typed for it, and what must come of them."""

import shutil
from functools import cached_property
from pathlib import Path

import numpy as np
import yaml

from helpers.field.axes import AXES, COUNT
from helpers.field.band_choices import Choices
from helpers.field.drawing import LOOKS, class_maps, repeated_block, stored
from helpers.field.image_files import encoded, image_bytes
from helpers.field.mask_files import NO_LABEL
from helpers.field.places import SPLITS
from helpers.field.typing_texts import text

ORACLE = (
    *("model=lraspp_mobilenet_v3_large", "model.weights=none", "model.mean=[0,0,0]"),
    "model.network._target_=helpers.field.nearest_colour.NearestColour",
    *("model.std=[1,1,1]", "model.layer_groups=[compare,classifier]"),
    "model.fine_tune_start={head: classifier, decoder: 0, aspp: 0, half_backbone: 0, full: 0}",
    *("stage.aux_loss=false", "stage.learning_rate=1e-7", "stage.epochs=1"),
    *("data.num_workers=0", "data.batch_size=2"),
    *("trainer=cpu", "trainer.limit_train_batches=1", "logger=none"),
)
"""The network that knows the colours, trained for one step that moves it by less than shows."""


class Case:
    """A data set of six images below a folder.

    Args:
        combination: By axis, the name of its value.
        folder: Where the files are written.
    """

    def __init__(self, combination, folder):
        self.combination = combination
        self.folder = Path(folder)
        chosen = {axis: AXES[axis][name] for axis, name in combination.items()}
        self.format, self.mode = chosen["format"], chosen["mode"]
        self.masks, self.mask_format = chosen["masks"], chosen["mask_format"]
        self.place, self.stems, self.exif = chosen["place"], chosen["names"], chosen["exif"]
        self.reading, self.clutter = chosen["reading"] + chosen["window"], chosen["clutter"]
        self.naming, self.mapping = chosen["naming"], chosen["mapping"]
        self.endings = chosen["endings"](self.format.suffix, self.mask_format.suffix)
        count = min(len(LOOKS[self.mode.looks]), self.masks.classes)
        self.names = chosen["classes"][:count]
        of_bands = chosen["bands"], chosen["range"], chosen["nodata"]
        looks = LOOKS[self.mode.looks][:count]
        self.bands = Choices(self.format, self.mode, *of_bands, looks)
        self.root = self.folder.joinpath(*(" ".join(stem.split()) for stem in self.stems[:3]))

    @cached_property
    def maps(self):
        """The classes that each image shows, upright."""
        return class_maps(COUNT, len(self.names), seed=7)

    def hidden(self, ids):
        """Which pixels of an upright image hold no data."""
        return repeated_block(ids) & self.bands.hides

    @property
    def shown(self):
        """For each class the trained one that is predicted where an image shows it."""
        ids = self.mapping.ids.get(len(self.names), range(len(self.names)))
        return [1 if index is None else index for index in ids]

    def predicted(self, ids):
        """What is predicted of an image that shows these classes when it is upright."""
        shown = np.array(self.shown)[ids]
        known = np.where(self.hidden(ids), NO_LABEL, shown).astype(np.uint8)
        return stored(known, self.exif.image) if self.exif.setting == "ignore" else known

    def labels(self, ids):
        """What the mask of an image with these classes says, upright."""
        labelled = np.where(repeated_block(ids), NO_LABEL, ids).astype(np.uint8)
        return labelled if self.masks.has_unlabelled else ids

    def is_labelled(self, n):
        """Whether image ``n`` has a mask."""
        return SPLITS[n] not in self.place.unlabelled

    @property
    def images(self):
        """The path of each image."""
        return [
            self.root / (self.place.image(self.naming.image(stem), n) + self.endings[0])
            for n, stem in enumerate(self.stems)
        ]

    def write(self):
        """Writes the data set."""
        for n, (stem, ids) in enumerate(zip(self.stems, self.maps, strict=True)):
            _write(self.images[n], self._image_bytes(ids))
            if self.is_labelled(n):
                name = self.naming.mask(stem, self.endings[0])
                path = self.root / (self.place.mask(name, n) + self.endings[1])
                _write(path, self._mask_bytes(self.labels(ids)))
        for name in self.clutter:
            _write(self.images[0].parent / name, b"clutter")
        for name, content in self.place.lists(list(map(self.naming.image, self.stems))).items():
            _write(self.root / name, content.encode())
        table = dict(zip(self.names, map(list, self.masks.colours), strict=False))
        _write(self._table, yaml.safe_dump(table, sort_keys=False, allow_unicode=True).encode())
        if self.place.is_zip:
            shutil.make_archive(str(self.root), "zip", self.root)

    @property
    def warnings(self):
        """A part of each warning that is expected."""
        is_said = any(not name.startswith(".") for name in self.clutter)
        return ["some of it is not used: suffix"] if is_said else []

    def _image_bytes(self, ids):
        ids, hidden = (stored(each, self.exif.image) for each in (ids, repeated_block(ids)))
        rgb = np.array(LOOKS[self.mode.looks], dtype=np.uint8)[ids]
        file = {"orientation": self.exif.image, "nodata": self.bands.tag}
        shown = rgb, hidden & self.mode.hides, self.bands.holes(hidden)
        return image_bytes(*shown, self.format, self.mode, **file)

    def _mask_bytes(self, labels):
        if self.exif.drawn_on_stored:
            labels = stored(labels, self.exif.image)
        made = self.masks.made(labels)
        return made if isinstance(made, bytes) else encoded(made, self.mask_format, self.exif.mask)

    @property
    def _is_folders(self):
        return "data=folders" in self.place.typed

    @property
    def _table(self):
        return (self.root if self._is_folders else self.folder) / "classes.yaml"

    @property
    def typed(self):
        """What a user types about the data."""
        suffix = ".zip" if self.place.is_zip else ""
        table = [] if self._is_folders else [text("data.classes", str(self._table))]
        turned = [f"data.exif_orientation={self.exif.setting}"] if self.exif.setting else []
        return [
            *self.place.typed,
            text("data.root", f"{self.root}{suffix}"),
            *table,
            *self.masks.typed(self.names),
            *turned,
            *self.naming.typed(*self.endings),
            *self.mapping.typed(self.names),
            *self.bands.typed,
            *self.reading,
        ]

    @property
    def with_oracle(self):
        """What is typed, besides :data:`ORACLE`, for the network that knows the colours."""
        colours = ",".join(str(colour).replace(" ", "") for colour in self.bands.colours or [])
        shown = ",".join(map(str, self.shown))
        network = [f"model.network.colours=[{colours}]", f"model.network.shown=[{shown}]"]
        return [*self.typed, *network]

    @property
    def folders(self):
        """The folders whose images are predicted, and in each the classes by name of the mask."""
        if self.place.is_mixed:  # where masks would be predicted too
            return {self.images[0]: {self.images[0].stem: self.predicted(self.maps[0])}}
        tops = {}
        for n, path in enumerate(self.images):
            top = self.root / self.place.image("", n).removesuffix("/")
            name = path.relative_to(top).as_posix().removesuffix(self.endings[0])
            tops.setdefault(top, {})[name] = self.predicted(self.maps[n])
        return tops

    @property
    def pixels(self):
        """How many pixels of each class count in all."""
        labelled = [ids for n, ids in enumerate(self.maps) if self.is_labelled(n)]
        shown = [np.where(self.hidden(ids), NO_LABEL, self.labels(ids)) for ids in labelled]
        own = [int(sum((ids == index).sum() for ids in shown)) for index in range(len(self.names))]
        trained = dict.fromkeys(sorted(set(self.shown)), 0)
        for index, count in zip(self.mapping.ids[len(self.names)], own, strict=True):
            if index is not None:
                trained[index] += count
        return list(trained.values())


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
