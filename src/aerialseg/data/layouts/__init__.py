"""Layouts of data sets: from a root folder to a list of samples.

Every layout is called as ``layout(root, cache_dir)``. In YAML::

    layout:
      _target_: aerialseg.data.layouts.folders
      _partial_: true
      images: photos
"""

from aerialseg.data.layouts.aeroscapes import aeroscapes
from aerialseg.data.layouts.demo import demo
from aerialseg.data.layouts.folders import folders
from aerialseg.data.layouts.kaggle import kaggle
from aerialseg.data.layouts.pairs import pairs

__all__ = ["aeroscapes", "demo", "folders", "kaggle", "pairs"]
