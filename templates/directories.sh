#!/bin/sh
# Makes directories on a host's data volume, or none: while the volume is absent, nothing may fill the root disk under its name.
# /outside is the parent of the mount point, MOUNT its name there. Each argument is owner:path below it; parents come first.
set -eu
if [ ! -d "/outside/$MOUNT" ] || [ "$(stat -c %d "/outside/$MOUNT")" = "$(stat -c %d /outside)" ]; then
	echo "the data volume is not mounted"
	exit 4
fi
for argument in "$@"; do
	owner=${argument%%:*}
	path="/outside/$MOUNT/${argument#*:}"
	mkdir -p "$path"
	chown "$owner:$owner" "$path"
	chmod 700 "$path"
done
