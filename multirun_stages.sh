#!/usr/bin/env bash
# The whole curriculum: check all five stages, train them in order, evaluate the last.
#
#   ./multirun_stages.sh experiment=demo
#   ./multirun_stages.sh experiment=aeroscapes data.root=PATH
#
# Any override of run.py may follow. Started again, it goes on where it stopped: finished stages
# are kept, an unfinished one continues from its last checkpoint. existing=overwrite starts anew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

stages=head,decoder,aspp,half_backbone,full

python run.py --multirun task=check task.chain=true stage="$stages" "$@"
python run.py --multirun task=train stage="$stages" existing=resume "$@"
python run.py task=evaluate stage=full "$@"
