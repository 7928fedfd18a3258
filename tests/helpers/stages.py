"""The stages of the curriculum, and what each leaves frozen, written down independently."""

STAGES = ("head", "decoder", "aspp", "half_backbone", "full")

FROZEN_BELOW = {"head": 21, "decoder": 18, "aspp": 17, "half_backbone": 8, "full": 0}
"""By stage, the first layer group of the default network that learns."""


def group_of(name: str) -> int:
    """The layer group of a tensor of the default network."""
    part, index = name.removeprefix("network.").split(".")[:2]
    if part == "backbone":
        return int(index)
    if part == "aux_classifier":
        return 21 if index == "4" else 18
    return 17 + int(index)
