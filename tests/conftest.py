import torch
from hypothesis import settings

torch.set_num_threads(1)  # tiny tensors: a second thread costs more than it brings

# The same examples every time, and no limit that a busy machine would break.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
