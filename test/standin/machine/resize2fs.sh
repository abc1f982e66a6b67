#!/bin/sh
# Stands for resize2fs where root of this machine may not grow a mounted file system: ends what uses it, grows it unmounted, and
# starts all that again. A real server grows it under the containers' feet.
set -eu
real=/usr/lib/standin/resize2fs
[ $# -eq 1 ] || {
  echo "the stand-in for resize2fs knows only resize2fs <device>, not: $*" >&2
  exit 64
}
"$real" "$1" && exit 0
point=$(findmnt --noheadings --first-only --output TARGET --source "$(realpath "$1")")
running=$(docker ps --quiet)
# shellcheck disable=SC2086 # one argument each
[ -z "$running" ] || docker stop --time 30 $running >/dev/null
umount "$point"
e2fsck -f -p "$1"
"$real" "$1"
mount "$point"
# shellcheck disable=SC2086
[ -z "$running" ] || docker start $running >/dev/null
