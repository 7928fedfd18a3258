#!/usr/bin/env bash
# The whole curriculum: check all stages and how long they take, train them in order, evaluate the
# last. The portable form is `python run.py task=curriculum`.
#
#   ./multirun_stages.sh experiment=demo
#   ./multirun_stages.sh experiment=aeroscapes data.root=PATH
#   ./multirun_stages.sh 'task.stages=[head,aspp,full]'
#
# Any override of run.py may follow; a relative path means the folder in which this is typed. Started
# again, it goes on where it stopped: finished stages are kept, an unfinished one continues from its
# last snapshot. existing=overwrite starts anew. Ctrl-C and SIGTERM let the running batch end, save
# it, and exit with 130 or 143.
set -euo pipefail
exec python "$(dirname "${BASH_SOURCE[0]}")/run.py" task=curriculum "$@"
