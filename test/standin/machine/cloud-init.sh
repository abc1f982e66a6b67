#!/bin/sh
# Stands for cloud-init on a stand-in server: `status [--wait]`, with the words and exit codes of the real one.
[ "${1-}" = status ] || {
  echo "the stand-in for cloud-init knows only status [--wait], not: $*" >&2
  exit 64
}
if [ "${2-}" = --wait ]; then
  until [ -e /run/cloud-init/result.json ]; do sleep 0.1; done
fi
if [ ! -e /run/cloud-init/result.json ]; then
  echo 'status: running'
elif [ -s /run/cloud-init/errors ]; then
  echo 'status: error'
  exit 1
else
  echo 'status: done'
fi
