# One step of a tenant's move between hosts, without network. /data/state and /data/workspace are its volumes on the host at hand; OWNER is the
# random id of its entry, which the marker in its state shows once everything is there.
set -eu
marker=/data/state/.openclaw-tenant
found=$(cat "$marker" 2>/dev/null || true)

case "$1" in
look) # on the new host
	if [ "$found" = "$OWNER" ]; then echo here; fi
	;;
clear) # on the new host: what an earlier try or an earlier stay of the same tenant left, and nothing else
	case "$found" in
	"coming:$OWNER" | "left:$OWNER") ;;
	*)
		if [ -n "$(ls -A /data/state /data/workspace | grep -v -e '^/data/' -e '^$')" ]; then
			echo "another tenant's data is in its place" >&2
			exit 3
		fi
		;;
	esac
	# First of all: an interrupted run must find its own mark.
	printf 'coming:%s' "$OWNER" > "$marker"
	find /data/state /data/workspace -mindepth 1 -maxdepth 1 ! -path "$marker" -exec rm -rf {} +
	;;
send) # on the old host
	if [ "$found" != "$OWNER" ] && [ "$found" != "left:$OWNER" ]; then
		echo "its data is not on the host it shall move from" >&2
		exit 3
	fi
	# All but the marker and sockets, named one by one: not every tar can leave something out.
	cd /data/state
	set --
	for entry in .[!.]* ..?* *; do
		[ -e "$entry" ] || [ -L "$entry" ] || continue
		[ "$entry" = .openclaw-tenant ] || [ -S "$entry" ] || set -- "$@" "./state/$entry"
	done
	tar -c -f - -C /data ./workspace "$@"
	;;
receive) # on the new host
	tar -x -f - -C /data
	;;
leave) # on the old host, once both ends of the copy were fine and before the new one is its home: it never has two
	printf 'left:%s' "$OWNER" > "$marker"
	;;
settle) # on the new host
	printf '%s' "$OWNER" > "$marker"
	;;
esac
