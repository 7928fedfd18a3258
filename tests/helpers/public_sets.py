"""Tiny copies of public data sets, with the folders and names that their archives unpack to.

Masks are painted by tables of their own, ``PAINTED``, read from other files than those that conf/
names. Every class occurs in every mask, in stripes of one pixel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.tiny_data import random_image, save, text

Value = int | tuple[int, int, int]

_ISPRS: dict[str, Value] = {  # microsoft/torchgeo, torchgeo/datasets/potsdam.py and vaihingen.py
    "clutter": (255, 0, 0),  # "Clutter/background"
    "impervious_surface": (255, 255, 255),
    "building": (0, 0, 255),
    "low_vegetation": (0, 255, 255),
    "tree": (0, 255, 0),
    "car": (255, 255, 0),
}

PAINTED: Mapping[str, Mapping[str, Value]] = {
    # WangLibo1995/GeoSeg, geoseg/datasets/uavid_dataset.py: CLASSES and PALETTE
    "uavid": {
        "building": (128, 0, 0),
        "road": (128, 64, 128),
        "tree": (0, 128, 0),
        "low_vegetation": (128, 128, 0),  # "LowVeg"
        "moving_car": (64, 0, 128),
        "static_car": (192, 0, 192),
        "human": (64, 64, 0),
        "clutter": (0, 0, 0),
    },
    # StuLiu/SOSNet, semseg/datasets/udd6.py
    "udd6": {"other": 0, "facade": 1, "road": 2, "vegetation": 3, "vehicle": 4, "roof": 5},
    # likyoo/SegEarth-OV, custom_datasets.py: VDDDataset
    "vdd": {
        **{"other": 0, "wall": 1, "road": 2, "vegetation": 3, "vehicle": 4, "roof": 5},
        "water": 6,
    },
    # dataset-ninja/floodnet, src/convert.py: idx_to_objclasses
    "floodnet": {
        "background": 0,
        "building-flooded": 1,
        "building-non-flooded": 2,
        "road-flooded": 3,
        "road-non-flooded": 4,
        **{"water": 5, "tree": 6, "vehicle": 7, "pool": 8, "grass": 9},
    },
    # microsoft/torchgeo, torchgeo/datasets/loveda.py: the classes are counted from 1
    "loveda": {
        **{"background": 1, "building": 2, "road": 3, "water": 4, "barren": 5, "forest": 6},
        "agricultural": 7,  # "agriculture"
    },
    "potsdam": _ISPRS,
    "vaihingen": _ISPRS,
    # biasvariancelabs/aitlas, aitlas/datasets/landcover_ai.py, commit bbe6d779
    "landcover_ai": {"background": 0, "building": 1, "woodland": 2, "water": 3, "road": 4},
    # bowenroom/mmsegmentation, tools/convert_datasets/ddsb.py: color_map without its first, in
    # the order of the classes; ubipo/lakehopper, colormaps.py, has the same with their names
    "dronedeploy": {
        "building": (230, 25, 75),
        "clutter": (145, 30, 180),
        "vegetation": (60, 180, 75),
        "water": (245, 130, 48),
        "ground": (255, 255, 255),
        "car": (0, 130, 200),
    },
    # open-mmlab/mmsegmentation, mmseg/datasets/isaid.py: classes and palette
    "isaid": {
        "background": (0, 0, 0),
        "ship": (0, 0, 63),
        "storage_tank": (0, 63, 63),  # "store_tank"
        "baseball_diamond": (0, 63, 0),
        "tennis_court": (0, 63, 127),
        "basketball_court": (0, 63, 191),
        "ground_track_field": (0, 63, 255),
        "bridge": (0, 127, 63),
        "large_vehicle": (0, 127, 127),
        "small_vehicle": (0, 0, 127),
        "helicopter": (0, 0, 191),
        "swimming_pool": (0, 0, 255),
        "roundabout": (0, 191, 127),
        "soccer_ball_field": (0, 127, 191),
        "plane": (0, 127, 255),
        "harbor": (0, 100, 155),
    },
    # psFournier/dl_toolbox, dl_toolbox/datasets/semantic_drone.py: class_list
    "semantic_drone": {
        "paved-area": (128, 64, 128),
        "dirt": (130, 76, 0),
        "grass": (0, 102, 0),
        "gravel": (112, 103, 87),
        "water": (28, 42, 168),
        "rocks": (48, 41, 30),
        "pool": (0, 50, 89),
        "vegetation": (107, 142, 35),
        "roof": (70, 70, 70),
        "wall": (102, 102, 156),
        "window": (254, 228, 12),
        "door": (254, 148, 12),
        "fence": (190, 153, 153),
        "fence-pole": (153, 153, 153),
        "person": (255, 22, 96),
        "dog": (102, 51, 0),
        "car": (9, 143, 150),
        "bicycle": (119, 11, 32),
        "tree": (51, 51, 0),
        "bald-tree": (190, 250, 190),
        "ar-marker": (112, 150, 146),
        "obstacle": (2, 135, 115),
    },
    # isaaccorley/torchrs, torchrs/datasets/dubai_segmentation.py
    "dubai": {
        "unlabeled": (155, 155, 155),
        "water": (226, 169, 41),
        "land": (132, 41, 246),  # "Land (unpaved area)"
        "road": (110, 193, 228),
        "building": (60, 16, 152),
        "vegetation": (254, 221, 58),
    },
}

IGNORED: Mapping[str, list[Value]] = {
    "loveda": [0],  # the same file: "No-data regions assigned with 0 and should be ignored"
    "potsdam": [(0, 0, 0)],  # mmsegmentation's converter: index 0 of its color_map
    "vaihingen": [(0, 0, 0)],
    "dronedeploy": [(255, 0, 255)],  # ddsb.py: such pixels become -1
    "semantic_drone": [(0, 0, 0), (255, 0, 0)],  # "unlabeled", "conflicting"
}


@dataclass(frozen=True)
class Copy:
    """What a tiny copy holds.

    Attributes:
        pairs: Each image with its mask, None where there is none.
        splits: The split of each id that must be found.
        extra: Other files of the archive, which are no pairs.
    """

    pairs: Mapping[str, str | None]
    splits: Mapping[str, str | None]
    extra: tuple[str, ...] = ()


def _named(images: str, masks: str | None, *values: tuple[str, ...]) -> dict[str, str | None]:
    return {images.format(*v): None if masks is None else masks.format(*v) for v in values}


_UAVID = ("uavid_{0}/seq{1}/Images/000{2}.png", "uavid_{0}/seq{1}/Labels/000{2}.png")
_FLOODNET = ("{0}/{0}-org-img/{1}.jpg", "{0}/{0}-label-img/{1}_lab.png")
_LOVEDA = ("{0}/{1}/images_png/{2}.png", "{0}/{1}/masks_png/{2}.png")
_POTSDAM = ("2_Ortho_RGB/top_potsdam_{0}_RGB.tif", "5_Labels_all/top_potsdam_{0}_label.tif")
_ISAID = ("{0}/images/{1}.png", "{0}/images/{1}_instance_color_RGB.png")
_DRONEDEPLOY = ("images/{0}-ortho.tif", "labels/{0}-label.png")
_SCENES = ("15efe45820_D95DF0B1F4INSPIRE", "ec09336a6f_06BA0AF311OPENPIPELINE")
_COMPLETE = "ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE"
_TRAIN_VAL = {"train/DJI_0285": "train", "val/DJI_0627": "val"}

COPIES: Mapping[str, Copy] = {
    "uavid": Copy(
        {
            **_named(*_UAVID, ("train", "1", "000"), ("train", "1", "100"), ("val", "16", "000")),
            **_named(_UAVID[0], None, ("test", "21", "000")),
        },
        {
            "uavid_train/seq1/000000": "train",
            "uavid_train/seq1/000100": "train",
            "uavid_val/seq16/000000": "val",
            "uavid_test/seq21/000000": "test",
        },
    ),
    "udd6": Copy(
        _named("{0}/src/{1}.JPG", "{0}/gt/{1}.png", ("train", "DJI_0285"), ("val", "DJI_0627")),
        _TRAIN_VAL,
        ("metadata.txt",),
    ),
    "vdd": Copy(
        _named(
            *("{0}/src/{1}.JPG", "{0}/gt/{1}.png"),
            *(("train", "DJI_0285"), ("val", "DJI_0627"), ("test", "DJI_0001")),
        ),
        {**_TRAIN_VAL, "test/DJI_0001": "test"},
    ),
    "floodnet": Copy(
        _named(*_FLOODNET, ("train", "6278"), ("val", "6279"), ("test", "6280")),
        {"train/6278": "train", "val/6279": "val", "test/6280": "test"},
    ),
    "loveda": Copy(
        {
            **_named(*_LOVEDA, ("Train", "Urban", "1366"), ("Val", "Rural", "2522")),
            **_named(_LOVEDA[0], None, ("Test", "Rural", "4191")),
        },
        {
            "Train/Urban/1366": "train",
            "Val/Rural/2522": "val",
            "Test/Rural/4191": "test",
        },
    ),
    "potsdam": Copy(
        _named(*_POTSDAM, ("2_10",), ("7_12",), ("4_12",), ("5_15",)),
        {"2_10": None, "5_15": "test", "7_12": None},
        ("2_Ortho_RGB/top_potsdam_2_10_RGB.tfw", "1_DSM/dsm_potsdam_02_10.tif"),
    ),
    "vaihingen": Copy(
        _named(
            *("top/top_mosaic_09cm_{0}.tif", f"{_COMPLETE}/top_mosaic_09cm_{{0}}.tif"),
            *(("area1",), ("area37",), ("area38",)),
        ),
        {"area1": None, "area37": None, "area38": "test"},
        ("dsm/dsm_09cm_matching_area1.tif",),
    ),
    "landcover_ai": Copy(
        _named(
            *("output/{0}.jpg", "output/{0}_m.png"),
            *(("M-33-20-D-c-4-2_0",), ("M-33-20-D-c-4-2_1",), ("N-34-140-A-b-3-2_105",)),
        ),
        {
            "M-33-20-D-c-4-2_0": "train",
            "M-33-20-D-c-4-2_1": "val",
            "N-34-140-A-b-3-2_105": "test",
        },
        ("images/M-33-20-D-c-4-2.tif", "split.py"),
    ),
    "dronedeploy": Copy(
        {
            **_named(*_DRONEDEPLOY, *((scene,) for scene in _SCENES)),
            **_named(_DRONEDEPLOY[0], None, ("12fa5e614f_53197F206FOPENPIPELINE",)),
        },
        {
            _SCENES[0]: "train",
            _SCENES[1]: "val",
            "12fa5e614f_53197F206FOPENPIPELINE": "test",
        },
        (f"elevations/{_SCENES[0]}-elev.tif", "index.csv"),
    ),
    "isaid": Copy(
        {
            **_named(*_ISAID, ("train", "P0002"), ("val", "P0003")),
            **_named(_ISAID[0], None, ("test", "P0006")),
        },
        {"test/P0006": "test", "train/P0002": "train", "val/P0003": "val"},
        ("train/images/P0002_instance_id_RGB.png", "val/images/P0003_instance_id_RGB.png"),
    ),
    "semantic_drone": Copy(
        _named(
            *("training_set/images/{0}.jpg", "training_set/gt/semantic/label_images/{0}.png"),
            *(("000",), ("001",), ("015",)),
        ),
        {"000": None, "001": None, "015": None},
        (
            "training_set/gt/semantic/class_dict.csv",
            "training_set/gt/semantic/label_me_xml/000.xml",
        ),
    ),
    "dubai": Copy(
        _named(
            *("Tile {0}/images/image_part_00{1}.jpg", "Tile {0}/masks/image_part_00{1}.png"),
            *(("1", "1"), ("1", "2"), ("2", "1")),
        ),
        {
            "Tile 1/image_part_001": None,
            "Tile 1/image_part_002": None,
            "Tile 2/image_part_001": None,
        },
        ("classes.json",),
    ),
}


def stripes(name: str) -> tuple[np.ndarray, list[str | None]]:
    """A mask with a column of pixels for each class and each ignored value, and which is which."""
    values = [*PAINTED[name].values(), *IGNORED.get(name, [])]
    columns = [*PAINTED[name], *(None for _ in IGNORED.get(name, []))]
    return np.repeat(np.array(values, dtype=np.uint8)[None], 4, axis=0), columns


def write_copy(root: Path, name: str) -> Path:
    """Writes the tiny copy of a data set."""
    mask, columns = stripes(name)
    for seed, (image, label) in enumerate(COPIES[name].pairs.items()):
        save(root / image, random_image((4, len(columns)), seed))
        if label is not None:
            save(root / label, mask)
    for path in COPIES[name].extra:
        is_image = path.endswith((".tif", ".png"))
        save(root / path, random_image((4, 5))) if is_image else text(root / path, "")
    if name == "landcover_ai":
        for key, split in COPIES[name].splits.items():
            text(root / f"{split}.txt", key)
    return root
