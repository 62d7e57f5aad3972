#!/bin/sh
# Every container of a service reads under a name of its own, however many of them there are.
set -eu
INSTANCE_ID="${INSTANCE_ID:-$(hostname)}"
export INSTANCE_ID
exec "$@"
