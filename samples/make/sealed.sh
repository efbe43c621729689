# What keys open beyond the plain TLS 1.3 of cases.sh: compressed certificates, DNS over QUIC.

sealed=(compressed_certificate_capture quic_dns_keys_capture)

# Three peers that compress the chain, each in its own way; the browser takes brotli alone.
compressed_certificate_capture() {
    with_compression keys_captured compressed_certificate_capture \
        "$(browser execute-api) https://www.example.com/" \
        'PYTHONPATH=./python python3 ./compressed.py fetch www.example.com zlib keys.log' \
        'PYTHONPATH=./python python3 ./compressed.py fetch www.example.com zstd keys.log'
}

# with_compression COMMAND...: with a server in nginx's place that compresses certificates; Debian 12 has none
with_compression() {
    python_packages tlslite-ng brotli zstandard
    cp "$conf/compressed.py" "$work/"
    kill "$front_pid"
    wait "$front_pid" || true
    front_pid=
    start wc-front env PYTHONPATH="$work/python" python3 "$work/compressed.py" serve /etc/nginx/pki execute-api 198.51.100.7
    local server=$started
    wait_until ip netns exec wc-client bash -c 'exec 3<>/dev/tcp/198.51.100.7/443'
    "$@"
    kill "$server"
    wait "$server" || true
    front TLSv1.2
}

# A name resolved over QUIC alone, and the address asked for it.
quic_dns_keys_capture() {
    with_quic_dns keys_captured quic_dns_keys_capture \
        'kdig +tls-ca +tls-host=dns.example.com +quic @203.0.113.54 www.example.com' \
        'curl -sS --resolve www.example.com:443:198.51.100.7 https://www.example.com/'
}

# with_quic_dns COMMAND...: with a front end of DNS over QUIC before the resolver; Debian 12 has no server of it
with_quic_dns() {
    python_packages aioquic
    cp "$conf/doq_server.py" "$work/"
    start wc-resolver env PYTHONPATH="$work/python" python3 "$work/doq_server.py" "$WC_PKI" dns.example.com \
        203.0.113.54 203.0.113.53
    local server=$started
    wait_until ip netns exec wc-resolver bash -c 'ss -Hlun sport = :853 | grep -q .'
    "$@"
    kill "$server"
}
