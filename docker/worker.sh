#!/bin/sh
# Starts a Celery worker for a comma-separated list of queues: docker/worker.sh QUEUES
#
# Without AISLEFLOW_ALLOW_LIVE a crawl requests only this machine, and the sandbox is another container. So its
# port is brought to this machine's loopback, where a crawl finds it as it does in the embedded installation.
# SANDBOX_ADDRESS empty: there is no sandbox.
set -eu

if [ -n "${SANDBOX_ADDRESS:-}" ]; then
    socat "TCP-LISTEN:${SANDBOX_ADDRESS##*:},bind=127.0.0.1,fork,reuseaddr" "TCP:$SANDBOX_ADDRESS" &
fi
exec airflow celery worker --queues "$1"
