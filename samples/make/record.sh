# What a customer does: run clients, save what they print, capture what they send.

# client COMMAND: one shell command in the client's namespace, with nothing of the caller's settings
client() {
    ip netns exec wc-client env -i PATH="$PATH" HOME=/nonexistent LANG=C.UTF-8 TZ=UTC TERM=dumb \
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

# capture FILE TCPDUMP_OPTION... -- COMMAND...: what the commands send and receive
capture() {
    local file=$1 command
    local options=()
    shift
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    begin_capture "$file" "${options[@]}"
    for command; do client "$command" >>"$work/client.log" 2>&1 || true; done
    end_captures
}

begin_capture() {
    local file=$1 ns=${capture_ns:-wc-client}
    shift
    : >"$work/tcpdump.log"
    ip netns exec "$ns" tcpdump -Z root -n -U -s 0 -w "$work/capture.pcap" "$@" 2>"$work/tcpdump.log" &
    captures+=("$! $file $work/capture.pcap")
    pids+=("$!")
    wait_until grep -q 'listening on' "$work/tcpdump.log"
}
