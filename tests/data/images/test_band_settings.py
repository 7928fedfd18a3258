import math

import pytest

from aerialseg.data.images.band_settings import check_band_settings, percentiles_of, ranges_of
from aerialseg.errors import ConfigError

EXAMPLE = "wanted [low, high] with low below high, as in data.value_range=[0,10000]"


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        (([0, 1], None, None), "data.bands: [0, 1] is out of range; wanted 1 to 64 numbers"),
        (([], None, None), "data.bands: [] is out of range"),
        ((None, [0, 1], None), "data.value_range: is of bands, but data.bands is null"),
        (([1], [1, 1], None), f"data.value_range: {EXAMPLE}"),
        (([1], [3], None), f"data.value_range: {EXAMPLE}"),
        (([1], [[0, 1], 2], None), f"data.value_range: {EXAMPLE}"),
        (([1], [0, math.inf], None), f"data.value_range: {EXAMPLE}"),
        (([1], [], None), f"data.value_range: {EXAMPLE}"),
        (([1, 2, 3], [[0, 1], [0, 2]], None), "data.value_range: has 2 pairs for the 3 bands"),
        (([1], {"percentile": [2, 98]}, None), "data.value_range: wanted two percentiles"),
        (([1], {"percentiles": [98, 2]}, None), "data.value_range: wanted two percentiles"),
        (([1], {"percentiles": [2, 101]}, None), "data.value_range: wanted two percentiles"),
        (([1], None, math.nan), "data.nodata: NaN and infinity are no data anyway"),
    ],
)
def test_settings_that_do_not_fit_are_one_line(settings, start):
    with pytest.raises(ConfigError) as error:
        check_band_settings(*settings)
    (line,) = error.value.problems
    assert line.startswith(start)


def test_one_range_is_that_of_all_bands():
    assert ranges_of([0, 5], 3) == ((0.0, 5.0),) * 3
    assert ranges_of([[0, 5], [1, 2]], 2) == ((0.0, 5.0), (1.0, 2.0))
    assert ranges_of({"percentiles": [2, 98]}, 2) is None
    assert percentiles_of({"percentiles": [2, 98]}) == (2.0, 98.0)
    assert percentiles_of([2, 98]) is None
