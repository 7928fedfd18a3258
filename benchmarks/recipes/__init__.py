"""Which recipe learns most in the same time: named variants on named data, over held-out places.

::

    python -m benchmarks.recipes --data scenes --count 50 200 --folds 4 --seconds 120 -- \
        seed strong 'rare: recipe=strong data.rare_classes=0.5'
    python -m benchmarks.recipes --data dubai --root PATH --weights FILE --folds 8 --seeds 0 1 2 \
        --seconds 240 -- seed strong
    python -m benchmarks.recipes --help

Each fold holds out some places, on which nothing is chosen: of the others the product's own split
takes a part for validation, which selects the best epoch. Every run is ``task=curriculum`` and then
``task=evaluate task.split=test`` of its last stage, in processes of their own. The epochs of each
variant are scaled so that training takes the same seconds.

A finished run is a line of ``benchmarks/recipes/<data>.jsonl``, from which
``benchmarks/RECIPES.md`` is written after each. Started again, the command goes on with the runs
that are not recorded.
"""
