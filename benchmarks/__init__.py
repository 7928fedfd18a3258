"""What this project's own formulations gain over the plain ones, measured side by side.

Each script times a plain formulation, as a good hobby project would write it, against the
function that real runs call: in one process, in turn, by medians. Before that it makes sure that
both say the same. Times differ between machines and minutes; the ratios hardly do. ::

    python -m benchmarks                      # all of them, and the table RESULTS.md
    python -m benchmarks rle loss             # some
    python -m benchmarks.rle                  # one
    python -m benchmarks custom_gradients     # each custom gradient on against off
    python -m benchmarks --images PATH      # with AeroScapes, or images laid out like it
    python -m benchmarks --quick              # does it run? tiny images, nothing to conclude
    python -m benchmarks.gpu                  # does the loader keep up with the graphics card?

Without ``--images`` the images are drawn by :mod:`aerialseg.scenes`.
"""
