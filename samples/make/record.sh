# What a customer does: run clients, save what they print, capture what they send.

client_ns=wc-client

# client COMMAND: one shell command in the client's namespace, with nothing of the caller's settings
client() {
    ip netns exec "$client_ns" env -i PATH="$PATH" HOME=/nonexistent LANG=C.UTF-8 TZ=UTC TERM=dumb \
        bash -c "cd '$work'; $1"
}

# transcript FILE COMMAND...: each command behind a prompt, then what it printed on a terminal
transcript() {
    local file=$1 command
    shift
    : >"$file"
    for command; do
        echo "\$ $command" >>"$file"
        on_terminal "$command" >>"$file"
    done
}

# A terminal makes the output what a person sees (curl draws no progress meter).
on_terminal() {
    printf '%s\n' "$1" >"$work/command"
    client "script -q -e -E never -c 'bash ./command' /dev/null </dev/null" | tr -d '\r' || true
}

# capture FILE [TCPDUMP_OPTION...] -- COMMAND...: what the client sends and receives meanwhile
capture() {
    local file=$1 command tcpdump
    local options=()
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    begin_capture "$file" "${options[@]}"
    tcpdump=$started
    for command; do client "$command" >>"$work/client.log" 2>&1 || true; done
    end_capture "$tcpdump"
}

begin_capture() {
    local file=$1
    shift
    : >"$work/$client_ns.log"
    start "$client_ns" tcpdump -Z root -n -U --immediate-mode -s 0 -w "$file" "$@"
    wait_until grep -q 'listening on' "$work/$client_ns.log"
}

end_capture() {
    sleep 0.5
    kill -INT "$1"
    wait "$1" || true
}
