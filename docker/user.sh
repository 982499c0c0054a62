#!/bin/sh
# Make the user that the service runs as, and the one folder that it may write to.
set -eu

groupadd --gid 10001 nrm
useradd --uid 10001 --gid nrm --home-dir /var/lib/nrm --no-create-home --shell /usr/sbin/nologin nrm
install --directory --owner nrm --group nrm --mode 0750 /var/lib/nrm
