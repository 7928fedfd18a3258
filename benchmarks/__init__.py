"""Benchmarks of this project's implementations against plain ones.

Each script compares a plain implementation, as in a typical PyTorch project, with the function that
real runs call: alternating in one process, by median time. Before that it checks that both give the
same result. Times vary between machines; ratios hardly do. ::

    python -m benchmarks                      # all of them, and the table RESULTS.md
    python -m benchmarks rle loss             # some
    python -m benchmarks.rle                  # one
    python -m benchmarks custom_gradients     # each custom gradient on against off
    python -m benchmarks --images PATH        # with AeroScapes, or images laid out like it
    python -m benchmarks --quick              # only tests that every script runs
    python -m benchmarks.gpu                  # does the loader keep up with the graphics card?
    python -m benchmarks.time_to_score --help # how soon are scores of plain training reached?
    python -m benchmarks.threads              # which numbers of threads and loading workers?
    python -m benchmarks.recipes --help       # which recipe learns most in the same time?

``--quick`` is for those who change a benchmark or what it times: each script runs once, on tiny
images, and checks that both implementations agree. The times it prints say nothing about speed.

Without ``--images`` the images are drawn by :mod:`aerialseg.scenes`.
"""
