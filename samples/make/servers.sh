# The servers. `ip netns exec NS` shows /etc/netns/NS/X as /etc/X, so each reads its usual path
# and no path of the machine comes into an output.

make_configuration() {
    mkdir -p /etc/netns/wc-{client,auth,resolver,front}
    mkdir -p /etc/netns/wc-auth/bind /etc/netns/wc-resolver/unbound /etc/netns/wc-front/nginx
    cp "$conf/named.conf" "$conf"/*.zone /etc/netns/wc-auth/bind/
    cp "$conf/unbound.conf" /etc/netns/wc-resolver/unbound/
    cp "$conf/nginx.conf" /etc/netns/wc-front/nginx/
    cp -r "$WC_PKI" /etc/netns/wc-front/nginx/pki
    chmod -R a+rX /etc/netns/wc-auth /etc/netns/wc-resolver

    # The client trusts the root of make_pki, where Debian keeps its trusted roots.
    mkdir -p /etc/netns/wc-client/ssl/certs
    cp /etc/ssl/openssl.cnf /etc/netns/wc-client/ssl/
    cp "$WC_PKI/root.pem" /etc/netns/wc-client/ssl/certs/ca-certificates.crt
    openssl rehash /etc/netns/wc-client/ssl/certs
    echo '127.0.0.1 localhost' >/etc/netns/wc-client/hosts
    resolv_conf 'nameserver 203.0.113.53'
}

resolv_conf() {
    printf '%s\n' "$@" >/etc/netns/wc-client/resolv.conf
}

start_servers() {
    start wc-auth named -f -4 -c /etc/bind/named.conf
    named_pid=$started
    start wc-resolver unbound -d -c /etc/unbound/unbound.conf
    front TLSv1.2
    wait_until ip netns exec wc-client dig +time=1 +tries=1 @203.0.113.53 api.example.com
}

# in_vpc COMMAND...: with a second resolver, as that of a VPC whose endpoint for execute-api has private DNS
in_vpc() {
    cp "$conf/vpc.zone" /etc/netns/wc-resolver/unbound/
    {
        sed 's/interface: 203.0.113.53/interface: 203.0.113.54/; /interface: 2001/d' "$conf/unbound.conf"
        printf 'auth-zone:\n    name: "execute-api.us-east-1.amazonaws.com."\n    zonefile: /etc/unbound/vpc.zone\n'
        printf '    for-downstream: no\n    for-upstream: yes\n'
    } >/etc/netns/wc-resolver/unbound/vpc.conf
    start wc-resolver unbound -d -c /etc/unbound/vpc.conf
    local resolver=$started
    resolv_conf 'nameserver 203.0.113.54'
    wait_until ip netns exec wc-client dig +time=1 +tries=1 @203.0.113.54 api.example.com
    "$@"
    resolv_conf 'nameserver 203.0.113.53'
    kill "$resolver"
}

# front PROTOCOLS: starts the front end anew with these TLS versions
front() {
    [ -z "${front_pid:-}" ] || { kill "$front_pid"; wait "$front_pid" || true; }
    echo "ssl_protocols $1;" >/etc/netns/wc-front/nginx/protocols.conf
    start wc-front nginx -c /etc/nginx/nginx.conf
    front_pid=$started
    wait_until ip netns exec wc-client bash -c 'exec 3<>/dev/tcp/198.51.100.7/443'
}

# start NS COMMAND...: in the background, ended by tear_down
start() {
    local ns=$1
    shift
    ip netns exec "$ns" "$@" >>"$work/$ns.log" 2>&1 &
    started=$!
    pids+=("$started")
}

wait_until() {
    local i
    for i in $(seq 50); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    echo "gave up after 5 s: $*" >&2
    tail -n 5 "$work"/*.log >&2
    return 1
}

# python_packages PACKAGE...: from PyPI, below the temporary folder; each once
python_packages() {
    local package
    for package; do
        [ ! -e "$work/python.$package" ] || continue
        python3 -m pip install -q --root-user-action ignore --upgrade --target "$work/python" "$package" 2>"$work/pip.log"
        touch "$work/python.$package"
    done
}

# with_h3 CERTIFICATE COMMAND...: with the front end over HTTP/3 beside nginx; Debian 12 has no server of it
with_h3() {
    local certificate=$1 server
    shift
    python_packages aioquic
    cp "$conf"/h3_*.py "$work/"
    start wc-front env PYTHONPATH="$work/python" python3 "$work/h3_server.py" /etc/nginx/pki "$certificate" \
        198.51.100.7 198.51.100.8 198.51.100.20 198.51.100.21
    server=$started
    wait_until ip netns exec wc-front bash -c 'ss -Hlun sport = :443 | grep -q .'
    "$@"
    kill "$server"
}

# with_h2 COMMAND...: with HTTP/2 and TLS 1.3 at the front end
with_h2() {
    sed -i 's/listen \(.*443\) ssl/listen \1 ssl http2/' /etc/netns/wc-front/nginx/nginx.conf
    front 'TLSv1.2 TLSv1.3'
    "$@"
    cp "$conf/nginx.conf" /etc/netns/wc-front/nginx/
    front TLSv1.2
}

# with_encrypted_dns COMMAND...: with a resolver that answers over TLS (853) and HTTPS (443) too
with_encrypted_dns() {
    cp -r "$WC_PKI" /etc/netns/wc-resolver/unbound/pki
    chmod -R a+rX /etc/netns/wc-resolver
    {
        sed 's/interface: 203.0.113.53/interface: 203.0.113.54@853/; /interface: 2001/d' "$conf/unbound.conf"
        printf 'server:\n    interface: 203.0.113.54@443\n'
        printf '    tls-service-key: /etc/unbound/pki/dns.example.com.key\n'
        printf '    tls-service-pem: /etc/unbound/pki/dns.example.com.chain.pem\n'
    } >/etc/netns/wc-resolver/unbound/encrypted.conf
    start wc-resolver unbound -d -c /etc/unbound/encrypted.conf
    local resolver=$started
    wait_until ip netns exec wc-client bash -c 'exec 3<>/dev/tcp/203.0.113.54/853'
    "$@"
    kill "$resolver"
}
