#!/bin/sh
# Stands for systemd on a stand-in server. It runs ssh, docker and the oneshot services that user data wrote; services of packages that are
# named there and not installed here are let be. `boot` starts what is enabled.
set -u
units=/etc/systemd/system

say() { echo "systemctl: $*" >&2; }

is_own() { [ -f "$units/$1.service" ]; }

# Values of a key of a unit, one a line.
values() { sed -n "s/^$2=//p" "$units/$1.service"; }

# Names of the units that a target or service wants or requires.
linked() {
  for link in "$units/$1.$2"/*.service; do [ ! -L "$link" ] || basename "$link" .service; done
}

is_known() {
  case $1 in ssh | sshd | docker | systemd-*) return 0 ;; esac
  is_own "$1" && return 0
  while read -r package; do
    case $1 in "$package"*) return 0 ;; esac
  done </var/lib/cloud/instance/packages
  say "Unit $1.service not found."
  return 1
}

is_active() {
  case $1 in
  ssh | sshd) is_alive /run/sshd.pid ;;
  docker) is_alive /run/docker.pid ;;
  *) [ -e "/run/standin-active/$1" ] ;;
  esac
}

is_alive() { [ -e "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

start() {
  is_active "$1" && return 0
  case $1 in
  ssh | sshd) /usr/sbin/sshd -E /var/log/auth.log ;;
  docker) start_docker ;;
  *) ! is_own "$1" || start_own "$1" ;;
  esac
}

start_own() {
  [ "$(values "$1" Type)" = oneshot ] || {
    say "$1.service is not of type oneshot, which is all that the stand-in runs"
    return 64
  }
  values "$1" 'ExecStart\(Pre\|Post\)\{0,1\}' | while read -r line; do
    # A dash in front says that it may fail.
    sh -c "${line#-}" || [ "$line" != "${line#-}" ] || {
      say "$1.service failed: $line"
      exit 1
    }
  done || return 1
  mkdir -p /run/standin-active
  : >"/run/standin-active/$1"
}

start_docker() {
  for unit in $(linked docker.service requires); do
    start "$unit" || {
      say 'dependency failed for docker.service'
      return 1
    }
  done
  # Its containers stay apart from those of other servers on the same kernel.
  setsid dockerd --host unix:///run/docker.sock --cgroup-parent "$(cat /run/standin)" >>/var/log/dockerd.log 2>&1 </dev/null &
  daemon=$!
  until docker --host unix:///run/docker.sock version >/dev/null 2>&1; do
    kill -0 $daemon 2>/dev/null || {
      say "docker.service failed: $(tail -n 5 /var/log/dockerd.log)"
      return 1
    }
    sleep 0.1
  done
}

stop() {
  case $1 in
  ssh | sshd) end /run/sshd.pid ;;
  docker)
    end /run/docker.pid
    for unit in $(linked docker.service requires); do
      case " $(values "$unit" PartOf) " in *' docker.service '*) stop "$unit" ;; esac
    done
    ;;
  *) rm -f "/run/standin-active/$1" ;;
  esac
}

end() {
  is_alive "$1" || return 0
  kill "$(cat "$1")"
  while is_alive "$1"; do sleep 0.1; done
}

enable_own() {
  is_own "$1" || return 0
  for target in $(values "$1" WantedBy); do link "$1" "$target.wants"; done
  for target in $(values "$1" RequiredBy); do link "$1" "$target.requires"; done
}

link() {
  mkdir -p "$units/$2"
  ln -sf "../$1.service" "$units/$2/$1.service"
}

boot() {
  start ssh
  start docker
  for unit in $(linked multi-user.target wants) $(linked multi-user.target requires); do start "$unit"; done
}

act() {
  case $verb in
  enable) enable_own "$1" && { ! $now || start "$1"; } ;;
  start) start "$1" ;;
  stop) stop "$1" ;;
  restart) stop "$1" && start "$1" ;;
  try-restart) ! is_active "$1" || { stop "$1" && start "$1"; } ;;
  reload | reload-or-restart)
    case $1 in
    ssh | sshd) kill -HUP "$(cat /run/sshd.pid)" ;;
    *) stop "$1" && start "$1" ;;
    esac
    ;;
  is-active) if is_active "$1"; then echo active; else
    echo inactive
    return 3
  fi ;;
  esac
}

now=false verb='' names=''
for word; do
  case $word in
  --now) now=true ;;
  --quiet | -q) ;;
  -*) verb=$word ;;
  *) if [ -z "$verb" ]; then verb=$word; else names="$names ${word%.service}"; fi ;;
  esac
done

case $verb in
boot) boot ;;
daemon-reload) ;;
enable | start | stop | restart | try-restart | reload | reload-or-restart | is-active)
  failed=0
  for name in $names; do
    if is_known "$name"; then act "$name" || failed=$?; else failed=5; fi
  done
  exit $failed
  ;;
*)
  say "the stand-in does not know: $*"
  exit 64
  ;;
esac
