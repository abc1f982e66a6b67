#!/bin/sh
# Stands for systemd on a stand-in server. It knows ssh, docker and the service units that user data wrote; what else it is asked for
# belongs to a package that is not installed here, and is let be. `boot` starts what an enabled unit of these would be started by.
set -eu
units=/etc/systemd/system
wants=$units/multi-user.target.wants

say() { echo "systemctl: $*" >&2; }

is_own() { [ -f "$units/$1.service" ]; }

# Values of a key of a unit, one a line.
values() { sed -n "s/^$2=//p" "$units/$1.service"; }

is_alive() { [ -e "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

start_docker() {
  is_alive /run/docker.pid && return 0
  # Its containers stay apart from those of other servers on the same kernel.
  set -- --host unix:///run/docker.sock --cgroup-parent "$(cat /run/standin)"
  setsid dockerd "$@" >>/var/log/dockerd.log 2>&1 </dev/null &
  daemon=$!
  until docker --host unix:///run/docker.sock version >/dev/null 2>&1; do
    kill -0 $daemon 2>/dev/null || {
      say 'docker.service failed:'
      tail -n 5 /var/log/dockerd.log >&2
      return 1
    }
    sleep 0.1
  done
}

start() {
  case $1 in
  ssh | sshd) is_alive /run/sshd.pid || /usr/sbin/sshd ;;
  docker) start_docker ;;
  *)
    is_own "$1" || {
      say "$1 is not installed here"
      return 0
    }
    [ "$(values "$1" Type)" = oneshot ] || {
      say "$1.service is not of type oneshot, which is all that the stand-in starts"
      return 64
    }
    values "$1" 'ExecStart\(Pre\|Post\)\{0,1\}' | while read -r line; do run "$line" || exit 1; done || return 1
    : >"/run/standin.$1"
    ;;
  esac
}

# A dash in front says that it may fail.
run() {
  case $1 in
  -*) sh -c "${1#-}" || : ;;
  *)
    sh -c "$1" || {
      say "failed: $1"
      return 1
    }
    ;;
  esac
}

stop() {
  case $1 in
  ssh | sshd) pid=/run/sshd.pid ;;
  docker) pid=/run/docker.pid ;;
  *)
    rm -f "/run/standin.$1"
    return 0
    ;;
  esac
  is_alive $pid || return 0
  kill "$(cat $pid)"
  while is_alive $pid; do sleep 0.1; done
}

is_active() {
  case $1 in
  ssh | sshd) is_alive /run/sshd.pid ;;
  docker) is_alive /run/docker.pid ;;
  *) [ -e "/run/standin.$1" ] ;;
  esac
}

boot() {
  mkdir -p $wants
  for when in before after; do
    [ $when = before ] || { start ssh && start docker; } || :
    for unit in "$wants"/*.service; do
      [ -e "$unit" ] || continue
      unit=$(basename "$unit" .service)
      case " $(values "$unit" Before | tr '\n' ' ') " in
      *" docker.service "*) [ $when = before ] || continue ;;
      *) [ $when = after ] || continue ;;
      esac
      start "$unit" || :
    done
  done
}

now=false verb='' names=''
for word; do
  case $word in
  --now) now=true ;;
  -*) ;;
  *) if [ -z "$verb" ]; then verb=$word; else names="$names ${word%.service}"; fi ;;
  esac
done

case $verb in
boot) boot ;;
daemon-reload | daemon-reexec | mask | unmask | preset | reset-failed) ;;
enable | disable | start | stop | restart | try-restart | reload | reload-or-restart | is-active | is-enabled)
  for name in $names; do
    case $verb in
    enable)
      mkdir -p $wants
      if is_own "$name"; then ln -sf "../$name.service" "$wants/$name.service"; fi
      if $now; then start "$name"; fi
      ;;
    disable)
      rm -f "$wants/$name.service"
      if $now; then stop "$name"; fi
      ;;
    start) start "$name" ;;
    stop) stop "$name" ;;
    restart | try-restart | reload | reload-or-restart)
      stop "$name"
      start "$name"
      ;;
    is-active) if is_active "$name"; then echo active; else
      echo inactive
      exit 3
    fi ;;
    is-enabled) if [ -e "$wants/$name.service" ]; then echo enabled; else
      echo disabled
      exit 1
    fi ;;
    esac
  done
  ;;
*)
  say "the stand-in does not know: $*"
  exit 64
  ;;
esac
