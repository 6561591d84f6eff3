# Sourced by the scripts here that compare with other builders. `find_peers DIRECTORY [NAME...]` sets $buildah and $docker
# to commands, or to nothing for what is not installed, not named or does not work. docker is the daemon that answers, else a
# private one below DIRECTORY, which `end_peers` ends. DOCKERD_ROOT names the root of another system whose dockerd is
# taken, such as a newer Debian: mmdebstrap --variant=apt --include=docker.io,ca-certificates,iptables trixie DIRECTORY
buildah='' docker='' dockerd=''

find_peers() {
    peers_in=$1
    shift
    [ $# -gt 0 ] || set -- buildah docker
    for name in "$@"; do
        command -v "$name" > /dev/null || continue
        case $name in
        buildah) buildah="buildah --root $peers_in/buildah --runroot $peers_in/buildah-run" ;;
        docker) find_docker ;;
        esac
    done
}

find_docker() {
    # The client that came with the daemon: others want a plug-in for BuildKit.
    client=docker
    [ ! -x /usr/bin/docker ] || client=/usr/bin/docker
    export DOCKER_BUILDKIT=1
    if [ -z "${DOCKERD_ROOT:-}" ] && $client info > "$peers_in/docker.log" 2>&1; then
        docker=$client
    elif [ -n "${DOCKERD_ROOT:-}" ] || command -v dockerd > /dev/null; then
        run_dockerd --data-root "$peers_in/docker" --exec-root "$peers_in/docker-run" -H "unix://$peers_in/docker.sock" \
            --pidfile "$peers_in/docker.pid" --iptables=false > "$peers_in/dockerd.log" 2>&1 &
        dockerd=$!
        docker="$client -H unix://$peers_in/docker.sock"
        for _ in $(seq 100); do $docker info > "$peers_in/docker.log" 2>&1 && return; sleep 0.2; done
        docker=''
    fi
}

# run_dockerd ARGUMENTS...: takes the place of this shell.
run_dockerd() {
    [ -n "${DOCKERD_ROOT:-}" ] || exec dockerd --bridge=none "$@"
    export DOCKERD_ROOT peers_in
    # shellcheck disable=SC2016
    # Its BuildKit wants a bridge: that is in a network of its own, which has no way out.
    exec unshare -mn --propagation private sh -ec '
        # It wants its root to be a mount.
        mount --bind "$DOCKERD_ROOT" "$DOCKERD_ROOT"
        for name in proc sys dev; do mount --rbind "/$name" "$DOCKERD_ROOT/$name"; done
        mkdir -p "$DOCKERD_ROOT$peers_in"
        mount --bind "$peers_in" "$DOCKERD_ROOT$peers_in"
        exec chroot "$DOCKERD_ROOT" dockerd "$@"' dockerd "$@"
}

# Ends the private daemon, and no other.
end_peers() {
    [ -n "$dockerd" ] || return 0
    kill "$dockerd" 2> /dev/null || true
    wait "$dockerd" 2> /dev/null || true
}
