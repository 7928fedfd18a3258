#!/usr/bin/env bash
# The whole curriculum: check all stages and estimate their time, train them in order, evaluate the
# last. The portable form is `python run.py task=curriculum`.
#
#   ./multirun_stages.sh experiment=demo
#   ./multirun_stages.sh experiment=aeroscapes data.root=PATH
#   ./multirun_stages.sh 'task.stages=[head,aspp,full]'
#
# Takes any override of run.py; relative paths are relative to the working directory. Started again,
# it resumes: finished stages are kept, an unfinished one continues from its last snapshot.
# existing=overwrite starts over. Ctrl-C and SIGTERM finish the current batch, save a snapshot, and
# exit with 130 or 143.
set -euo pipefail
exec python "$(dirname "${BASH_SOURCE[0]}")/run.py" task=curriculum "$@"
