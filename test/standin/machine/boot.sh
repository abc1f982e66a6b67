#!/bin/sh
# The first process of a stand-in server, in namespaces of its own: makes its file system out of its disk and the programs of this
# machine, and goes on as its init. Arguments: the server's folder, and the cgroup that its containers belong to.
set -eu
server=$1 cgroup=$2
root=$server/disk

mount --bind "$root" "$root"
mount -t overlay -o "lowerdir=/usr,upperdir=$server/usr/changes,workdir=$server/usr/work" usr "$root/usr"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
# What is under net belongs to the namespace; the rest is this machine's own.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o nosuid,nodev,noexec sys "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount -t tmpfs -o nosuid,mode=755 run "$root/run"
mount -t tmpfs -o nosuid,nodev tmp "$root/tmp"

mount -t tmpfs -o nosuid,mode=755 dev "$root/dev"
while read -r node major minor; do mknod -m 666 "$root/dev/$node" c "$major" "$minor"; done <<'END'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
END
ln -s /proc/self/fd "$root/dev/fd"
for stream in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${stream%:*}" "$root/dev/${stream#*:}"; done
mkdir -p "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue" "$root/dev/disk/by-id"
mount -t devpts -o newinstance,mode=620,ptmxmode=666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o nosuid,nodev shm "$root/dev/shm"
mount -t mqueue -o nosuid,nodev,noexec mqueue "$root/dev/mqueue"
for volume in "$server"/volumes/*; do
  [ -e "$volume" ] || continue
  read -r minor <"$volume"
  mknod -m 660 "$root/dev/loop$minor" b 7 "$minor"
  ln -s "../../loop$minor" "$root/dev/disk/by-id/scsi-0HC_Volume_${volume##*/}"
done

cd "$root"
pivot_root . mnt
cd /
umount --lazy /mnt
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 sh /usr/lib/standin/init "$cgroup"
