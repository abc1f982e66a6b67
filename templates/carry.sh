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
	find /data/state /data/workspace -mindepth 1 -delete
	printf 'coming:%s' "$OWNER" > "$marker"
	;;
send) # on the old host
	if [ "$found" != "$OWNER" ]; then
		echo "its data is not on the host it shall move from" >&2
		exit 3
	fi
	tar -c -f - -C /data --exclude ./state/.openclaw-tenant ./state ./workspace
	;;
receive) # on the new host
	tar -x -f - -C /data
	;;
settle) # on the new host, once both ends of the copy were fine
	printf '%s' "$OWNER" > "$marker"
	;;
leave) # on the old host
	printf 'left:%s' "$OWNER" > "$marker"
	;;
esac
