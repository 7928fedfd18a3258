"""The data module of one data set."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from aerialseg.classes import ClassTable
from aerialseg.data.augmentation import Augmentation
from aerialseg.data.images.band_settings import ValueRange
from aerialseg.data.images.crops import DEFAULT_SCALE, CropShare
from aerialseg.data.images.headers import MAX_MEGAPIXELS, Megapixels
from aerialseg.data.images.mask_encoding import IgnoreValues, MaskFormat
from aerialseg.data.images.orientation import ExifOrientation
from aerialseg.data.images.reading_settings import reading_of_images
from aerialseg.data.layouts.listing import Layout, Sample
from aerialseg.data.loading.rare_classes import DEFAULT_TEMPERATURE, Temperature
from aerialseg.data.shared_settings import SharedSettings, shared_settings
from aerialseg.data.sources.cutting import WindowEdge, window_size
from aerialseg.data.sources.data_sources import Source, Sources
from aerialseg.data.sources.narrowing import narrowed
from aerialseg.data.sources.splits import SplitSettings
from aerialseg.data.sources_datamodule import SourcesDataModule
from aerialseg.seeds import Seed
from aerialseg.values.checked_calls import checked


class AerialSegDataModule(SourcesDataModule):
    """Lists a data set, checks every mask, splits it and serves uint8 batches.

    In YAML::

        _target_: aerialseg.data.datamodule.AerialSegDataModule
        root: data/folders
        layout: {_target_: aerialseg.data.layouts.folders, _partial_: true}
        classes: ${data.root}/classes.yaml
        cache_dir: ${paths.cache_dir}
        image_min_size: 720
        batch_size: 8
        num_workers: 2

    Args:
        root: The data set's folder, or its archive where the layout takes one.
        layout: Says where the files lie; called as ``layout(root, cache_dir)``.
        classes: The class table: ``{name: [red, green, blue]}``, or the path of such a YAML file.
        cache_dir: Where counts, splits and unpacked archives are kept; may be deleted.
        image_min_size: Length in pixels the smaller edge is resized to; None keeps the size.
        batch_size: Images in a batch; a last batch of one joins the batch before it.
        num_workers: Processes that decode and augment; 0 works in the main process.
        map_classes: What classes of the table become, as in ``{car: vehicle, clutter: None}``: a
            class that is trained, or None for one that is ignored. Others stay what they are.
        mask_format: ``index`` masks hold class ids, ``colour`` masks the class table's colours.
        mask_values: The class of each value of index masks, as in ``{0: ground, 255: building}``;
            classes may have several. None: a value is the class's id.
        ignore_values: Values of index masks, or colours as in ``[[0, 0, 0]]`` of colour masks,
            without a label. 255 and white are ignored too, unless they stand for a class.
        exif_orientation: ``apply`` turns images and masks as viewers do, ``ignore`` takes pixels as
            they are stored. None: files with an EXIF orientation are refused.
        val_fraction: Share of the images without an official split that validate, 0 to 1.
        group_pattern: Regular expression whose one group is the part of an id that neighbouring
            frames share; they stay on one side of the split. None: each image is its own group.
        groups: CSV file with the columns ``image`` and ``group``, such as task=inspect writes:
            images of one group stay on one side, ids that it does not have are groups of their
            own. None: by ``group_pattern``; both together are an error.
        split_seed: Decides which images validate; another one makes another split.
        seed: Decides the order of every epoch, every crop and every augmentation.
        augmentation: What the training images go through; None leaves them as they are.
        crop_size: Training shows crops of random size and place, resized to this height and width
            in pixels, ``[height, width]`` or one number; validation, evaluation and prediction
            keep ``image_min_size``. None: whole images.
        crop_scale: The least and the greatest share of the edges of a crop, ``[low, high]``; 1 is
            the largest rectangle of this shape in the image, or in a window of it.
        rare_classes: Share of the training samples, 0 to 1, that are chosen by a class they hold,
            rare classes more often; a crop then holds the class too.
        rare_class_temperature: How little rare classes are preferred to others, above 0; a class
            that has a share ``f`` of the pixels is drawn with ``softmax((1 - f) / temperature)``.
        paste_rare: Share of the training samples, 0 to 1, that objects of rare classes, cut out of
            other training images, are pasted into.
        mask_memory_mb: Most megabytes (10**6 bytes) of masks kept in memory as run lengths,
            about 40 masks of 1280x720 in one; those beyond are read from their files each time.
        max_megapixels: Most millions of pixels of an image or a mask, asked of their headers.
        window: Labelled images that are larger are served in windows of this size, ``[height,
            width]`` or one number of pixels, before they are resized. None: every image is whole.
        window_cache_gb: Most gigabytes (10**9 bytes) that pixels of windows take in ``cache_dir``;
            images beyond are decoded for each of their windows.
        bands: The bands of the images that are used, as in ``[4, 3, 2]``: the first of a file is 1;
            red, green and blue come first where there are any. None: 8-bit RGB.
        value_range: Which values of the bands become 0 and 255: ``[low, high]``, one such pair for
            each band, or ``{percentiles: [2, 98]}`` of the training images. None: they are bytes.
        nodata: The value of pixels without data in all bands, besides what files say of
            themselves. Such pixels are ignored, as transparent ones are.
    """

    @checked
    def __init__(
        self,
        root: str | Path,
        layout: Layout,
        *,
        classes: Mapping[str, list[int]] | str,
        cache_dir: str | Path,
        image_min_size: Annotated[int, Ge(1)] | None,
        batch_size: Annotated[int, Ge(1)],
        num_workers: Annotated[int, Ge(0)],
        map_classes: Mapping[str, str | None] | None = None,
        mask_format: MaskFormat = "index",
        mask_values: Mapping[int, str] | None = None,
        ignore_values: IgnoreValues | None = None,
        exif_orientation: ExifOrientation | None = None,
        val_fraction: Annotated[float, Gt(0), Lt(1)] = 0.2,
        group_pattern: str | None = None,
        groups: str | Path | None = None,
        split_seed: Seed = 0,
        seed: Seed = 0,
        augmentation: Augmentation | None = None,
        crop_size: WindowEdge | tuple[WindowEdge, WindowEdge] | None = None,
        crop_scale: tuple[CropShare, CropShare] = DEFAULT_SCALE,
        rare_classes: Annotated[float, Ge(0), Le(1)] = 0,
        rare_class_temperature: Temperature = DEFAULT_TEMPERATURE,
        paste_rare: Annotated[float, Ge(0), Le(1)] = 0,
        mask_memory_mb: Annotated[int, Ge(0)] = 512,
        max_megapixels: Megapixels = MAX_MEGAPIXELS,
        window: WindowEdge | tuple[WindowEdge, WindowEdge] | None = None,
        window_cache_gb: Annotated[float, Ge(0)] = 32,
        bands: list[int] | None = None,
        value_range: ValueRange | None = None,
        nodata: float | None = None,
    ) -> None:
        root, cache_dir = Path(root).expanduser(), Path(cache_dir).expanduser()
        masks = (mask_format, mask_values, ignore_values)
        of_images = (exif_orientation, max_megapixels, bands, value_range, nodata)
        files = reading_of_images(*of_images)
        table = None if groups is None else Path(groups).expanduser()
        split = SplitSettings(val_fraction, group_pattern, split_seed, table)
        cut = window_size(window)
        source = Source(root, layout, cache_dir, classes, map_classes, masks, files, split, cut)
        images = (cache_dir, image_min_size, batch_size, num_workers, seed, augmentation)
        crops, kept = (crop_size, crop_scale), (mask_memory_mb, window, window_cache_gb)
        rare = (rare_classes, rare_class_temperature, paste_rare)
        shared = shared_settings(*images, crops, rare, *kept)
        super().__init__(Sources({"": source}), shared)

    @classmethod
    def of_sources(cls, sources: Sources, shared: SharedSettings) -> "AerialSegDataModule":
        """The data module of one data set or of several that are trained on together."""
        data = cls.__new__(cls)
        SourcesDataModule.__init__(data, sources, shared)
        return data

    def scored_with(self, trained: ClassTable) -> "AerialSegDataModule":
        """The same data with the class table of a network, as :meth:`Sources.scored_with`."""
        return self.of_sources(self.sources.scored_with(trained), self._shared)

    def of_samples(self, samples: Sequence[Sample]) -> "AerialSegDataModule":
        """The same data with these samples only, which have a split each."""
        return self.of_sources(narrowed(self.sources, samples), self._shared)

    def reduced(
        self, samples_per_split: int, *, cache_dir: Path | None = None
    ) -> "AerialSegDataModule":
        """The same data with a few samples of training and validation, evenly spread over each.

        Args:
            samples_per_split: Most samples of each split, 1 or more.
            cache_dir: Where the reduced data keep what they compute; None for the same place.
        """
        shared = replace(self._shared, cache_dir=cache_dir or self.cache_dir)
        part = self.of_sources(self.sources.reduced(samples_per_split, cache_dir), shared)
        part.ranges.take(self.served.ranges)  # of all training images
        return part
