"""The stages of the curriculum, in order."""

STAGES = ("head", "decoder", "aspp", "half_backbone", "full")
