#!/usr/bin/env bash
# The whole curriculum: check all five stages and how long they take, train them in order, evaluate
# the last.
#
#   ./multirun_stages.sh experiment=demo
#   ./multirun_stages.sh experiment=aeroscapes data.root=PATH
#
# Any override of run.py may follow. Started again, it goes on where it stopped: finished stages
# are kept, an unfinished one continues from its last snapshot. existing=overwrite starts anew.
# Told to stop, by Ctrl-C or SIGTERM, it lets the running batch end, saves, and exits with 130 or 143.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# In the background, because the shell would keep a signal to itself until the command has ended.
run() {
  python run.py "$@" &
  local status=0
  wait $! || status=$?
  while kill -0 $! 2>/dev/null; do # a signal ended the wait, not the command
    status=0
    wait $! || status=$?
  done
  return $status
}
trap 'kill -TERM $! 2>/dev/null || true' TERM
trap ':' INT # Ctrl-C reaches the command as well, and ends it

stages=head,decoder,aspp,half_backbone,full

run --multirun task=check task.chain=true task.measure=true stage="$stages" "$@"
run --multirun task=train stage="$stages" existing=resume "$@"
run task=evaluate stage=full "$@"
