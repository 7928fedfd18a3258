"""Generated drone scenes: a labelled data set that needs no download.

Each world is a terrain (roads, fields, water, woods) with houses, traffic, people and animals
on it; a pinhole camera flies over it and takes two or three images. Everything is drawn with
NumPy and OpenCV from the seed alone.

- :func:`write_scenes` writes a folder of scenes with masks, completely or not at all.
- :func:`render_scene` draws one image and its mask.
- :class:`Label` names the ids in the masks.
"""

from aerialseg.scenes.labels import Label
from aerialseg.scenes.render import render_scene
from aerialseg.scenes.write import RECORD, write_scenes

__all__ = ["RECORD", "Label", "render_scene", "write_scenes"]
