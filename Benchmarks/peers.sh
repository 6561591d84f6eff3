# Sourced by the scripts here that compare with other builders. `find_peers DIRECTORY [NAME...]` sets $buildah and $docker
# to commands, or to nothing for what is not installed, not named or does not work. docker is the daemon that answers, else a
# private one below DIRECTORY, which `end_peers` ends.
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
    if $client info > "$peers_in/docker.log" 2>&1; then
        docker=$client
    elif command -v dockerd > /dev/null; then
        dockerd --data-root "$peers_in/docker" --exec-root "$peers_in/docker-run" -H "unix://$peers_in/docker.sock" \
            --pidfile "$peers_in/docker.pid" --bridge=none --iptables=false > "$peers_in/dockerd.log" 2>&1 &
        dockerd=$!
        docker="$client -H unix://$peers_in/docker.sock"
        for _ in $(seq 100); do $docker info > "$peers_in/docker.log" 2>&1 && return; sleep 0.2; done
        docker=''
    fi
}

# Ends the private daemon, and no other.
end_peers() {
    [ -n "$dockerd" ] || return 0
    kill "$dockerd" 2> /dev/null || true
    wait "$dockerd" 2> /dev/null || true
}
