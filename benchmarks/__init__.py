"""Benchmarks of this project's implementations against plain ones.

Each script compares a plain implementation, as in a typical PyTorch project, with the function that
real runs call: alternating in one process, by median time. Before that it checks that both give the
same result. Times vary between machines; ratios hardly do. ::

    python -m benchmarks                      # all of them, and the table RESULTS.md
    python -m benchmarks rle loss             # some
    python -m benchmarks.rle                  # one
    python -m benchmarks custom_gradients     # each custom gradient on against off
    python -m benchmarks --images PATH      # with AeroScapes, or images laid out like it
    python -m benchmarks --quick              # does it run? tiny images, nothing to conclude
    python -m benchmarks.gpu                  # does the loader keep up with the graphics card?

Without ``--images`` the images are drawn by :mod:`aerialseg.scenes`.
"""
