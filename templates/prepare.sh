#!/bin/sh
# Runs before a gateway does, without network. OWNER: random id of the tenant's entry; ADOPT: true takes over what another entry left;
# RUN_AS: uid of the gateway. /seed holds the files that a new workspace starts with.
set -eu
marker=/data/state/.openclaw-tenant

if [ "$ADOPT" != true ] && [ -n "$(ls -A /data/state)" ] && [ "$(cat "$marker" 2>/dev/null)" != "$OWNER" ]; then
	echo "another tenant's data"
	exit 3
fi
# First of all: an interrupted run must find its own mark.
rm -f "$marker"
printf '%s' "$OWNER" > "$marker"

for directory in /data/state /data/workspace /data/authored; do
	[ -d "$directory" ] || continue
	chown "$RUN_AS:$RUN_AS" "$directory"
	chmod 700 "$directory"
done

# Once, and never over anything: from its first start on the workspace is the tenant's own.
if [ -d /seed ] && [ -z "$(ls -A /data/workspace)" ]; then
	cp -R /seed/. /data/workspace/
	chown -R "$RUN_AS:$RUN_AS" /data/workspace
fi
