#!/bin/sh
# Does at every start what a server's init does, and at the first one what cloud-init does. Argument: the cgroup of its containers.
once=/var/lib/cloud/instance

steps() {
  for step in "$once/$1"/*; do
    echo "cloud-init: ${step##*/}"
    sh "$step" || echo "${step##*/}" >>/run/cloud-init/errors
  done
}

mkdir -p /run/sshd /run/lock /run/cloud-init
: >/run/cloud-init/errors
hostname -F /etc/hostname
# Whoever looks from outside may rely on the file system from now on.
echo "$1" >/run/standin

mount --all
steps always
if [ -e "$once/boot-finished" ]; then
  systemctl boot
else
  steps init
  systemctl boot
  steps final
  : >"$once/boot-finished"
fi
: >/run/cloud-init/result.json

# Orphans come to the first process, and a shell buries them only while it waits.
while :; do
  sleep 86400 &
  wait $!
done
