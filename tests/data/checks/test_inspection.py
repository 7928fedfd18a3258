"""What an inspection finds in data sets with one fault each, and that none ends it."""

import numpy as np
import pytest
from PIL import Image

from aerialseg.data.cache import measurements
from aerialseg.data.joint import joint
from aerialseg.data.layouts import folders
from aerialseg.errors import DataError
from helpers.grouped_data import data_module
from helpers.inspections import codes, inspect, inspect_data, the
from helpers.tiny_data import image_file, mask, random_image, save, write_folders

IDS = [f"{flight}_{number}" for flight in "abcdef" for number in range(3)]


@pytest.fixture
def root(tmp_path):
    """Eighteen sound images of noise, in groups of three."""
    folder = tmp_path / "d"
    for seed, key in enumerate(IDS):
        image_file(folder / f"images/{key}.png", (24, 32), seed)
        save(folder / f"masks/{key}.png", mask(seed=seed))
    return folder


def test_sound_data_have_no_findings(root):
    inspection = inspect(root)
    assert inspection.findings == ()
    assert {image.sample.split for image in inspection.images} == {"train", "val"}


def test_the_split_is_that_of_training(root):
    split = {image.sample.id: image.sample.split for image in inspect(root).images}
    assert split == {s.id: s.split for s in data_module(root).contents.samples}


def test_measurements_are_those_of_the_files(root):
    pixels = np.full((24, 32, 3), (30, 60, 90), np.uint8)
    save(root / "images/a_0.png", pixels)
    ids = np.zeros((24, 32), np.uint8)
    ids[:6], ids[6:9] = 2, 255
    save(root / "masks/a_0.png", ids)
    image = next(i for i in inspect(root).images if i.sample.id == "a_0")
    facts = image.measured
    assert (facts.format, facts.channels, facts.size, facts.orientation) == ("PNG", 3, (24, 32), 1)
    assert facts.brightness == pytest.approx(0.299 * 30 + 0.587 * 60 + 0.114 * 90, abs=0.6)
    assert facts.sharpness == 0
    assert image.pixels.tolist() == [15 * 32, 0, 6 * 32]
    assert image.ignored_share == pytest.approx(3 / 24)


def _truncate(root):
    path = save(root / "images/a_0.jpg", random_image((80, 90)), quality=95)
    (root / "images/a_0.png").unlink()
    path.write_bytes(path.read_bytes()[:-300])


def _jpeg_mask(root):
    (root / "masks/a_0.png").unlink()
    save(root / "masks/a_0.jpg", mask(seed=0))


def _turned(root):
    exif = Image.Exif()
    exif[274] = 6
    save(root / "images/a_0.png", random_image(), exif=exif)


FAULTS = {
    "unreadable_image": _truncate,
    "unreadable_mask": lambda root: (root / "masks/a_0.png").write_bytes(b"none"),
    "mask_is_lossy": _jpeg_mask,
    "mask_looks_like_colours": lambda root: save(root / "masks/a_0.png", random_image()),
    "ids_out_of_range": lambda root: save(root / "masks/a_0.png", mask() + 7),
    "sizes_differ": lambda root: save(root / "masks/a_0.png", mask((24, 31))),
    "image_without_mask": lambda root: (root / "masks/a_0.png").unlink(),
    "mask_without_image": lambda root: (root / "images/a_0.png").unlink(),
    "id_is_ambiguous": lambda root: save(root / "images/a_0.bmp", random_image()),
    "exif_orientation_unsaid": _turned,
}


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_is_a_finding_about_its_file(root, code):
    FAULTS[code](root)
    with pytest.raises(DataError):  # training is refused
        data_module(root).prepare()
    inspection = inspect(root)
    finding = the(inspection, code)
    assert finding.severity == "error"
    assert finding.files == ("a_0",)
    assert "\n" not in finding.message + finding.next_step
    assert finding.next_step
    assert inspection.fingerprint is None
    assert {key for key in IDS if key != "a_0"} <= {i.sample.id for i in inspection.images}


def test_painted_masks_report_other_colours(root):
    palette = np.array([[10, 20, 30], [200, 0, 0], [0, 200, 0]], np.uint8)
    for seed, key in enumerate(IDS):
        save(root / f"masks/{key}.png", palette[mask(seed=seed)])
    save(root / "masks/a_0.png", palette[mask(seed=0)] + 1)
    save(root / "masks/b_0.png", mask(seed=3))
    inspection = inspect(root, mask_format="colour")
    assert the(inspection, "colours_of_no_class").files == ("a_0",)
    assert the(inspection, "mask_looks_like_ids").files == ("b_0",)


def test_all_kinds_of_faults_are_found_at_once(root):
    (root / "masks/b_0.png").unlink()
    save(root / "masks/c_0.png", mask() + 7)
    save(root / "masks/d_0.png", mask() + 7)
    (root / "images/e_0.png").write_bytes(b"")
    inspection = inspect(root)
    found = {finding.code: finding.files for finding in inspection.findings}
    assert found["image_without_mask"] == ("b_0",)
    assert found["ids_out_of_range"] == ("c_0", "d_0")
    assert found["unreadable_image"] == ("e_0",)
    assert "the split is that of 14 images" in the(inspection, "provisional_split").message
    message = the(inspection, "ids_out_of_range").message
    assert message.startswith("2 images with ids of no class in the mask, the first: ")


def test_findings_are_sorted_by_severity(root):
    (root / "masks/b_0.png").unlink()
    for key in IDS:
        path = root / f"masks/{key}.png"
        if path.exists():
            save(path, np.minimum(np.asarray(Image.open(path)), 1))
    save(root / "images/c_0.png", np.full((24, 32, 3), 255, np.uint8))
    severities = [severity for severity, _ in codes(inspect(root))]
    assert list(dict.fromkeys(severities)) == ["error", "warning", "note"]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)


def test_a_class_that_one_side_lacks(root):
    split = {s.id: s.split for s in data_module(root).contents.samples}
    only = next(key for key in IDS if split[key] == "val")
    for key in IDS:
        ids = np.asarray(Image.open(root / f"masks/{key}.png"))
        save(root / f"masks/{key}.png", ids if key == only else np.minimum(ids, 1))
    inspection = inspect(root)
    side = next(i.sample.split for i in inspection.images if i.sample.id == only)
    lacking = "train" if side == "val" else "val"
    finding = the(inspection, f"class_absent_from_{lacking}")
    assert finding.severity == "warning"
    assert "class 'tree'" in finding.message
    assert finding.files == (only,)


def test_a_class_that_no_mask_has(root):
    for key in IDS:
        ids = np.asarray(Image.open(root / f"masks/{key}.png"))
        save(root / f"masks/{key}.png", np.minimum(ids, 1))
    assert "no pixel is of class 'tree'" in the(inspect(root), "class_absent").message


def test_masks_that_are_mostly_ignored(root):
    ids = np.full((24, 32), 255, np.uint8)
    ids[0] = 1
    save(root / "masks/c_1.png", ids)
    finding = the(inspect(root), "mostly_ignored")
    assert (finding.severity, finding.files) == ("note", ("c_1",))


def test_dark_bright_and_blurred_images(root):
    rng = np.random.default_rng(0)
    save(root / "images/a_0.png", rng.integers(0, 20, (24, 32, 3), dtype=np.uint8))
    save(root / "images/b_0.png", rng.integers(235, 256, (24, 32, 3), dtype=np.uint8))
    save(root / "images/c_0.png", random_image(seed=3))
    inspection = inspect(root)
    assert the(inspection, "dark_image").files == ("a_0",)
    assert the(inspection, "bright_image").files == ("b_0",)
    assert "c_0" in the(inspection, "blurred_image").files


def test_copies_on_one_side_and_on_both(root):
    split = {s.id: s.split for s in data_module(root).contents.samples}
    val = next(key for key in IDS if split[key] == "val")
    one, other, third = [key for key in IDS if split[key] == "train"][:3]
    images = root / "images"
    (images / f"{val}.png").write_bytes((images / f"{one}.png").read_bytes())
    (images / f"{third}.png").write_bytes((images / f"{other}.png").read_bytes())
    inspection = inspect(root)
    across, along = the(inspection, "copy_across_split"), the(inspection, "copy")
    assert (across.severity, across.files) == ("error", tuple(sorted((val, one))))
    assert (along.severity, along.files) == ("warning", tuple(sorted((other, third))))


def test_a_split_that_is_not_possible_is_a_finding(root):
    for key in IDS[1:]:
        (root / f"images/{key}.png").unlink()
        (root / f"masks/{key}.png").unlink()
    inspection = inspect(root)
    assert "the split needs two groups of images" in the(inspection, "no_split").message
    assert inspection.fingerprint is None


def test_a_second_inspection_reads_no_file_again(root, monkeypatch):
    first = inspect(root)

    def refuse(*_):
        raise AssertionError("a file was read again")

    monkeypatch.setattr(measurements, "measured_image", refuse)
    monkeypatch.setattr(measurements.SampleChecks, "checked", refuse)
    second = inspect(root)
    for one, other in zip(first.images, second.images, strict=True):
        assert one.pixels.tolist() == other.pixels.tolist()
        assert one.measured.brightness == other.measured.brightness
        assert one.measured.camera == other.measured.camera
        for name in ("points", "descriptors", "mirrored_points", "hashes"):
            left, right = (getattr(each.measured.features, name) for each in (one, other))
            assert left.dtype == right.dtype
            assert np.array_equal(left, right)


def test_a_stopped_inspection_goes_on(root, monkeypatch):
    def stopping(items, description):
        for number, item in enumerate(items):
            if number == 9:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        inspect(root, stopping)
    read = []
    measure = measurements.measured_image
    monkeypatch.setattr(
        measurements, "measured_image", lambda path, _: read.append(path) or measure(path, _)
    )
    assert inspect(root).findings == ()
    assert len(read) <= len(IDS) - 9


def test_a_changed_file_is_read_again(root):
    inspect(root)
    save(root / "masks/a_0.png", mask() + 7)
    assert the(inspect(root), "ids_out_of_range").files == ("a_0",)


def test_several_data_sets_name_their_files_and_keys(tmp_path):
    for name in ("north", "south"):
        write_folders(tmp_path / name, [f"{flight}_{n}" for flight in "ab" for n in range(2)])
    (tmp_path / "south/masks/a_0.png").unlink()
    save(tmp_path / "south/masks/b_0.png", random_image())
    parts = {
        name: data_module(tmp_path / name, folders, group_pattern=r"^(.+)_\d$")
        for name in ("north", "south")
    }
    shared = {"cache_dir": tmp_path / "cache", "image_min_size": 24}
    data = joint(parts, batch_size=4, num_workers=0, **shared)
    inspection = inspect_data(data, tmp_path / "north")
    assert the(inspection, "image_without_mask").files == ("south/a_0",)
    finding = the(inspection, "mask_looks_like_colours")
    assert finding.files == ("south/b_0",)
    assert finding.message.startswith("south: ")
    assert "data.parts.south.mask_format=colour" in finding.next_step
    # Both folders were written with the same images.
    assert the(inspection, "copy_across_split" if _is_across(inspection) else "copy")


def _is_across(inspection):
    sides = {}
    for image in inspection.images:
        sides.setdefault(image.measured.digest, set()).add(image.sample.split)
    return any(len(each - {None}) > 1 for each in sides.values())


def test_what_was_wanted_is_said_with_what_was_found_and_what_to_do_apart(root):
    save(root / "masks/a_0.png", mask((24, 31)))
    finding = the(inspect(root), "sizes_differ")
    assert finding.message.endswith("a_0.png is 31x24 (width x height); wanted the same")
    assert finding.next_step == "export the mask again at the size of its image, or take both out"


@pytest.mark.parametrize("kept", [0, 30, 200, -20])
def test_an_image_that_cannot_be_read_is_one_fault_and_named_once(root, kept):
    path = root / "images/a_0.png"
    path.write_bytes(path.read_bytes()[:kept])
    inspection = inspect(root)
    assert codes(inspection)[0] == ("error", "unreadable_image")
    assert the(inspection, "unreadable_image").files == ("a_0",)
