# Sites of several owners with faults of DNS, and what ends TLS on the path: one function per sample.
#
#   198.51.100.201, .211, 2001:db8:3::201   harbour.example: its certificate lists most of its names
#   198.51.100.202, .212, 2001:db8:3::202   bakery.example: www.bakery.example only
#   198.51.100.203                          library.example
#   198.51.100.204                          *.apps.example, the ingress of a cluster
#   198.51.100.205, .208, .209              www.cafe.example, the next tenant of addresses given back
#   198.51.100.206                          a filter's block page
#   198.51.100.207:3128                     a forward proxy that is spoken to by TLS
#   10.9.0.10, 10.9.0.20                    inside: a server of harbour.example, a router
#
# The resolver 203.0.113.53 answers as the name servers do; 203.0.113.54 is that of an office: it has an
# internal zone, a filter, and an answer of its own for www.library.example.

cases+=(
    mixed_answers_capture ipv6_differs_capture stale_answer_capture override_transcript
    split_horizon_transcript hijack_capture search_suffix_capture search_suffix_transcript
    wildcard_transcript cloud_address_transcript https_record_transcript
    captive_portal_capture block_page_capture interception_capture antivirus
    clock_wrong host_header_transcript foreign_name_capture proxy_capture
    checked_target_transcript resumed_capture resumed_alone_capture
    encrypted_hello_capture outer_name_capture
)

# Everything beyond the first samples is started by the first case that needs it.
routes() {
    [ -z "${routes_pid:-}" ] || return 0
    link wc-routes eth0 q0 198.51.100.193/26 198.51.100.200/26
    local last
    for last in 201 202 203 204 205 206 207 208 209 211 212; do
        ip -n wc-routes address add "198.51.100.$last/26" dev eth0
    done
    for last in 10 20; do
        ip -n wc-routes address add "10.9.0.$last/32" dev eth0
        ip -n wc-net route add "10.9.0.$last" via 198.51.100.200
    done
    quiet_v6 wc-routes 0
    ip netns exec wc-net sysctl -qw net.ipv6.conf.q0.disable_ipv6=0
    ip -n wc-net address add fe80::1/64 dev q0 nodad
    ip -n wc-net address add 2001:db8:3::1/64 dev q0 nodad
    ip -n wc-routes address add 2001:db8:3::201/64 dev eth0 nodad
    ip -n wc-routes address add 2001:db8:3::202/64 dev eth0 nodad
    ip -n wc-routes route add default via 2001:db8:3::1

    new_leaf harbour www.harbour.example "$(dns_names harbour.example www api mixed six both moved intranet alt agree port hidden)"
    new_leaf bakery www.bakery.example 'DNS:www.bakery.example,DNS:bakery.example'
    new_leaf library www.library.example "$(dns_names library.example www api news ads)"
    new_leaf apps '*.apps.example' 'DNS:*.apps.example'
    new_leaf cafe www.cafe.example DNS:www.cafe.example
    new_leaf filter blocked.webfilter.example DNS:blocked.webfilter.example
    new_leaf proxy proxy.harbour.example DNS:proxy.harbour.example
    new_leaf portal portal.harbour.example DNS:portal.harbour.example
    new_leaf router router.home.example DNS:router.home.example
    mkdir -p /etc/netns/wc-routes/nginx
    cp "$conf/routes.conf" /etc/netns/wc-routes/nginx/nginx.conf
    cp -r "$WC_PKI" /etc/netns/wc-routes/nginx/pki
    start wc-routes nginx -c /etc/nginx/nginx.conf
    routes_pid=$started
    wait_until client 'exec 3<>/dev/tcp/198.51.100.201/443'
    office_resolver
}

# dns_names DOMAIN LABEL...: a subjectAltName that lists them
dns_names() {
    local domain=$1 label
    shift
    for label; do printf 'DNS:%s.%s,' "$label" "$domain"; done | sed 's/,$//'
}

# The office's resolver; reverse names stand in the public one as well.
office_resolver() {
    {
        sed 's/interface: 203.0.113.53/interface: 203.0.113.54/; /interface: 2001/d' "$conf/unbound.conf"
        printf 'server:\n'
        printf '    local-data: "%s"\n' \
            'intranet.harbour.example. 60 A 10.9.0.10' 'printer.harbour.example. 60 A 10.9.0.20' \
            'www.library.example. 60 A 198.51.100.202' \
            'news.library.example. 60 A 198.51.100.206' 'ads.library.example. 60 A 0.0.0.0'
    } >/etc/netns/wc-resolver/unbound/office.conf
    start wc-resolver unbound -d -c /etc/unbound/office.conf
    {
        sed 's/interface: 203.0.113.53/interface: 203.0.113.55/; /interface: 2001/d' "$conf/unbound.conf"
        printf 'server:\n'
        printf '    local-data-ptr: "%s"\n' \
            '198.51.100.205 ec2-198-51-100-205.compute-1.amazonaws.com' '198.51.100.208 server8.housing.example'
    } >/etc/netns/wc-resolver/unbound/reverse.conf
    ip -n wc-resolver address add 203.0.113.55/25 dev eth0
    start wc-resolver unbound -d -c /etc/unbound/reverse.conf
    wait_until client 'dig +time=1 +tries=1 @203.0.113.54 www.harbour.example'
    wait_until client 'dig +time=1 +tries=1 @203.0.113.55 www.harbour.example'
}

# by_resolver ADDRESS COMMAND...: one shell command of the client, asking that resolver
by_resolver() {
    resolv_conf "nameserver $1"
    shift
    local command
    for command; do client "$command" >>"$work/client.log" 2>&1 || true; done
    resolv_conf 'nameserver 203.0.113.53'
}

# s_client HOST ADDRESS: what a check of one address of a host looks like
s_client() {
    echo "openssl s_client -connect $2:443 -servername $1 -showcerts </dev/null"
}

mixed_answers_capture() {
    routes
    local i fetch=()
    for i in 1 2 3 4 5 6 7 8; do
        fetch+=('curl -sS https://mixed.harbour.example/' 'curl -sS https://twins.harbour.example/')
    done
    captured mixed_answers_capture "${fetch[@]}" 'curl -sS https://pair.harbour.example/'
}

ipv6_differs_capture() {
    routes
    client_v6
    capture "$samples/ipv6_differs_capture/customer.pcap" -i eth0 'udp or tcp or arp' -- \
        'curl -sS -4 https://six.harbour.example/' 'curl -sS -6 https://six.harbour.example/' \
        'curl -sS -4 https://both.harbour.example/' 'curl -sS -6 https://both.harbour.example/' \
        'dig four.harbour.example AAAA' 'curl -sS -4 https://four.harbour.example/'
    quiet_v6 wc-client 1
}

# curl keeps an answer for 60 s, and fetches again after 30 s. The record of `moved` changes meanwhile,
# that of `kept` does not, and that of `turned` had changed before.
stale_answer_capture() {
    routes
    local tcpdump
    begin_capture "$samples/stale_answer_capture/customer.pcap" -i eth0 'ip or arp'
    tcpdump=$started
    client 'dig turned.harbour.example' >>"$work/client.log" 2>&1
    client 'curl -sS --no-sessionid --rate 2/m -H "Connection: close" https://moved.harbour.example/ https://moved.harbour.example/' \
        >>"$work/client.log" 2>&1 &
    local moved=$!
    client 'curl -sS --no-sessionid --rate 2/m -H "Connection: close" https://kept.harbour.example/ https://kept.harbour.example/' \
        >>"$work/client.log" 2>&1 &
    local kept=$!
    sleep 3
    move_record moved 198.51.100.201
    move_record turned 198.51.100.202
    client 'curl -sS https://moved.harbour.example/' >>"$work/client.log" 2>&1 || true
    client 'curl -sS https://turned.harbour.example/' >>"$work/client.log" 2>&1 || true
    wait "$moved" || true
    wait "$kept" || true
    end_capture "$tcpdump"
}

# move_record LABEL ADDRESS: changes the record of LABEL.harbour.example and waits for the caches
move_record() {
    sed -i "s/^$1 .*/$1 2 A $2/; s/ [0-9]* 7200 900/ $(date +%s) 7200 900/" /etc/netns/wc-auth/bind/harbour.example.zone
    kill -HUP "$named_pid"
    sleep 4
}

override_transcript() {
    routes
    local to
    transcript "$samples/override_transcript/ticket.txt" \
        'dig api.harbour.example' \
        'curl -v --resolve api.harbour.example:443:198.51.100.202 https://api.harbour.example/' \
        "$(s_client api.harbour.example 198.51.100.202)" \
        'dig twins.harbour.example' \
        'curl -v --resolve twins.harbour.example:443:198.51.100.201 https://twins.harbour.example/' \
        "$(s_client twins.harbour.example 198.51.100.201)"
    echo '198.51.100.203 www.harbour.example' >>/etc/netns/wc-client/hosts
    transcript "$samples/override_transcript/laptop.txt" \
        'dig +short www.harbour.example' \
        'openssl s_client -connect www.harbour.example:443 -servername www.harbour.example -showcerts </dev/null' \
        'curl -v https://www.harbour.example/'
    sed -i '/harbour/d' /etc/netns/wc-client/hosts
}

split_horizon_transcript() {
    routes
    transcript "$samples/split_horizon_transcript/ticket.txt" \
        'dig @203.0.113.54 intranet.harbour.example' \
        'dig @203.0.113.53 intranet.harbour.example' \
        "$(s_client intranet.harbour.example 10.9.0.10)" \
        "$(s_client intranet.harbour.example 198.51.100.201)" \
        'dig @203.0.113.54 twins.harbour.example' 'dig @203.0.113.53 twins.harbour.example' \
        "$(s_client twins.harbour.example 198.51.100.201)"
    transcript "$samples/split_horizon_transcript/inside.txt" \
        'dig @203.0.113.54 printer.harbour.example' \
        "$(s_client printer.harbour.example 10.9.0.20)"
}

hijack_capture() {
    routes
    local tcpdump
    begin_capture "$samples/hijack_capture/customer.pcap" -i eth0 'ip or arp'
    tcpdump=$started
    by_resolver 203.0.113.54 'curl -sS https://www.library.example/' 'curl -sS https://pair.harbour.example/' \
        'curl -sS https://printer.harbour.example/'
    by_resolver 203.0.113.53 'curl -sS https://www.library.example/' 'dig pair.harbour.example'
    end_capture "$tcpdump"
}

search_suffix_capture() {
    routes
    local tcpdump
    begin_capture "$samples/search_suffix_capture/customer.pcap" -i eth0 'ip or arp'
    tcpdump=$started
    resolv_conf 'nameserver 203.0.113.53' 'search apps.example' 'options ndots:5'
    client 'curl -sS https://api.library.example/' >>"$work/client.log" 2>&1 || true
    resolv_conf 'nameserver 203.0.113.53' 'search corp.example' 'options ndots:5'
    client 'curl -sS https://twins.harbour.example/' >>"$work/client.log" 2>&1 || true
    client 'dig +search api.bakery.example.corp.example' >>"$work/client.log" 2>&1 || true
    client 'curl -sS --resolve api.bakery.example:443:198.51.100.202 https://api.bakery.example/' \
        >>"$work/client.log" 2>&1 || true
    resolv_conf 'nameserver 203.0.113.53'
    end_capture "$tcpdump"
}

# In a pod, as Kubernetes configures it.
search_suffix_transcript() {
    routes
    resolv_conf 'nameserver 203.0.113.53' 'search apps.example' 'options ndots:5'
    transcript "$samples/search_suffix_transcript/pod.txt" \
        'dig +search api.library.example' 'curl -v https://api.library.example/' \
        'openssl s_client -connect api.library.example:443 -servername api.library.example -showcerts </dev/null'
    resolv_conf 'nameserver 203.0.113.53'
}

wildcard_transcript() {
    routes
    transcript "$samples/wildcard_transcript/mistyped.txt" \
        'dig wwww.bakery.example' "dig '*.bakery.example'" \
        'openssl s_client -connect wwww.bakery.example:443 -servername wwww.bakery.example -showcerts </dev/null' \
        'dig shop.bakery.example' \
        'openssl s_client -connect shop.bakery.example:443 -servername shop.bakery.example -showcerts </dev/null'
    transcript "$samples/wildcard_transcript/sibling.txt" \
        'dig www.harbour.example' 'dig twins.harbour.example' \
        'openssl s_client -connect twins.harbour.example:443 -servername twins.harbour.example -showcerts </dev/null'
}

cloud_address_transcript() {
    routes
    resolv_conf 'nameserver 203.0.113.55'
    transcript "$samples/cloud_address_transcript/ticket.txt" \
        'dig forgotten.harbour.example' 'dig -x 198.51.100.205' \
        'openssl s_client -connect forgotten.harbour.example:443 -servername forgotten.harbour.example -showcerts </dev/null' \
        'dig housed.harbour.example' 'dig -x 198.51.100.208' \
        'openssl s_client -connect housed.harbour.example:443 -servername housed.harbour.example -showcerts </dev/null' \
        'dig unknown.harbour.example' \
        'openssl s_client -connect unknown.harbour.example:443 -servername unknown.harbour.example -showcerts </dev/null'
    resolv_conf 'nameserver 203.0.113.53'
}

https_record_transcript() {
    routes
    transcript "$samples/https_record_transcript/ticket.txt" \
        'dig alt.harbour.example' 'dig alt.harbour.example HTTPS' \
        "$(s_client alt.harbour.example 198.51.100.202)" "$(s_client alt.harbour.example 198.51.100.201)" \
        'dig agree.harbour.example' 'dig agree.harbour.example HTTPS' \
        'dig port.harbour.example' 'dig port.harbour.example HTTPS'
}

# on_path NAME ADDRESS:CERTIFICATE...: in the router, servers at these addresses instead of the sites' own
on_path() {
    local pair ns=${path_ns:-wc-net}
    mkdir -p "/etc/netns/$ns/nginx"
    rm -rf "/etc/netns/$ns/nginx/pki"
    cp "$conf/path.conf" "/etc/netns/$ns/nginx/nginx.conf"
    cp -r "$WC_PKI" "/etc/netns/$ns/nginx/pki"
    : >"/etc/netns/$ns/nginx/servers.conf"
    for pair; do
        ip -n "$ns" address add "${pair%%:*}/32" dev lo
        printf 'server { listen %s:443 ssl; ssl_certificate /etc/nginx/pki/%s.chain.pem; ssl_certificate_key /etc/nginx/pki/%s.key; return 302 http://login.guest-wifi.example/; }\n' \
            "${pair%%:*}" "${pair#*:}" "${pair#*:}" >>"/etc/netns/$ns/nginx/servers.conf"
    done
    start "$ns" nginx -c /etc/nginx/nginx.conf
    path_pid=$started
    wait_until client "exec 3<>/dev/tcp/${1%%:*}/443"
}

off_path() {
    local pair ns=${path_ns:-wc-net}
    kill "$path_pid"
    wait "$path_pid" || true
    for pair; do ip -n "$ns" address del "${pair%%:*}/32" dev lo; done
}

captive_portal_capture() {
    routes
    new_leaf hotspot login.guest-wifi.example DNS:login.guest-wifi.example
    local portal=(198.51.100.201:hotspot 198.51.100.202:hotspot 198.51.100.203:hotspot)
    on_path "${portal[@]}"
    captured captive_portal_capture 'curl -sS https://www.harbour.example/' 'curl -sS https://www.bakery.example/' \
        'curl -sS https://www.library.example/'
    off_path "${portal[@]}"
}

block_page_capture() {
    routes
    local tcpdump
    begin_capture "$samples/block_page_capture/customer.pcap" -i eth0 'ip or arp'
    tcpdump=$started
    by_resolver 203.0.113.54 'curl -sS https://news.library.example/' 'dig ads.library.example'
    end_capture "$tcpdump"
    begin_capture "$samples/block_page_capture/other_network.pcap" -i eth0 'ip or arp'
    tcpdump=$started
    by_resolver 203.0.113.54 'dig ads.library.example'
    by_resolver 203.0.113.53 'curl -sS https://ads.library.example/'
    end_capture "$tcpdump"
    mkdir -p "$samples/sinkhole_transcript"
    transcript "$samples/sinkhole_transcript/ticket.txt" 'dig @203.0.113.54 ads.library.example'
}

# leaf_by ISSUER NAME CN SAN: a certificate that an interceptor makes
leaf_by() {
    WC_SAN=$4
    new_key "$2" "/CN=$3"
    sign leaf "$2" "$1" '-2 days' '+90 days'
    cat "$WC_PKI/$2.pem" "$WC_PKI/$1.pem" >"$WC_PKI/$2.chain.pem"
}

interceptor() {
    new_key "$1" "$2"
    sign root "$1" '' '-300 days' '+3000 days' -selfsign -keyfile "$WC_PKI/$1.key"
}

interception_capture() {
    routes
    interceptor gateway '/C=SE/O=Harbour Office/CN=Harbour Office Web Gateway'
    leaf_by gateway gateway-harbour www.harbour.example DNS:www.harbour.example
    leaf_by gateway gateway-library www.library.example DNS:www.library.example
    local path=(198.51.100.201:gateway-harbour 198.51.100.203:gateway-library)
    on_path "${path[@]}"
    captured interception_capture 'curl -sS https://www.harbour.example/' 'curl -sS https://www.library.example/'
    mkdir -p "$samples/unknown_issuer_transcript"
    transcript "$samples/unknown_issuer_transcript/ticket.txt" 'curl -v https://www.harbour.example/' \
        'openssl s_client -connect www.harbour.example:443 -servername www.harbour.example -showcerts </dev/null'
    off_path "${path[@]}"
}

antivirus() {
    routes
    rmdir "$samples/antivirus" 2>/dev/null || true
    mkdir -p "$samples/antivirus_mixed"
    captured antivirus_mixed 'curl -sS https://www.library.example/' 'curl -sS https://www.harbour.example/'
    mv "$samples/antivirus_mixed/customer.pcap" "$samples/antivirus_mixed/wire.pcap"
    interceptor scanner '/CN=ESET SSL Filter CA/O=ESET, spol. s r. o./C=SK'
    leaf_by scanner scanner-library www.library.example DNS:www.library.example
    path_ns=wc-client on_path 198.51.100.203:scanner-library
    transcript "$samples/antivirus_mixed/tool.txt" 'curl -v https://www.library.example/' \
        'openssl s_client -connect www.library.example:443 -servername www.library.example -showcerts </dev/null' \
        'openssl s_client -connect www.harbour.example:443 -servername www.harbour.example -showcerts </dev/null'
    path_ns=wc-client off_path 198.51.100.203:scanner-library
}

# A client whose clock stands in 2020, and the clocks of the wire and of the server.
clock_wrong() {
    routes
    rmdir "$samples/clock_wrong" 2>/dev/null || true
    mkdir -p "$samples/clock_wrong_mixed"
    local tcpdump
    begin_capture "$samples/clock_wrong_mixed/router.pcap" -i eth0 'ip or arp'
    tcpdump=$started
    transcript "$samples/clock_wrong_mixed/client.txt" \
        "faketime '2020-01-01 12:00:00' curl -v https://www.library.example/" \
        "faketime '2020-01-01 12:00:00' curl -vk https://www.library.example/"
    end_capture "$tcpdump"
}

host_header_transcript() {
    routes
    transcript "$samples/host_header_transcript/ticket.txt" \
        "curl -v -H 'Host: www.bakery.example' https://www.harbour.example/" \
        'curl -v https://www.library.example/'
}

foreign_name_capture() {
    routes
    captured foreign_name_capture 'dig www.library.example' \
        'openssl s_client -connect www.harbour.example:443 -servername api.library.example </dev/null' \
        'dig api.library.example' \
        'openssl s_client -connect api.harbour.example:443 -servername www.harbour.example </dev/null' \
        'dig www.harbour.example'
    mkdir -p "$samples/foreign_name_transcript"
    transcript "$samples/foreign_name_transcript/ticket.txt" \
        'openssl s_client -connect www.harbour.example:443 -servername old.cafe.example -showcerts </dev/null' \
        'openssl s_client -connect forgotten.harbour.example:443 -servername new.library.example -showcerts </dev/null' \
        'openssl s_client -brief -connect housed.harbour.example:443 -servername www.bakery.example </dev/null'
}

proxy_capture() {
    routes
    captured proxy_capture \
        'curl -sS --connect-to www.library.example:443:proxy.harbour.example:3128 https://www.library.example/' \
        'curl -sS --connect-to api.library.example:443:198.51.100.205:3128 https://api.library.example/' \
        'curl -sS https://forgotten.harbour.example:3128/'
}

checked_target_transcript() {
    routes
    transcript "$samples/checked_target_transcript/ticket.txt" \
        'openssl s_client -connect d111111abcdef8.cloudfront.net:443 -servername d111111abcdef8.cloudfront.net -showcerts </dev/null' \
        'openssl s_client -brief -connect my-alb-0123456789abcdef.elb.us-east-1.amazonaws.com:443 -servername my-alb-0123456789abcdef.elb.us-east-1.amazonaws.com </dev/null'
}

resumed_capture() {
    routes
    captured resumed_capture \
        'openssl s_client -connect www.library.example:443 -servername www.library.example -sess_out session.pem </dev/null' \
        'openssl s_client -connect www.library.example:443 -servername www.library.example -sess_in session.pem </dev/null'
}

# The second handshake alone, and one whose answer was not captured.
resumed_alone_capture() {
    routes
    client 'openssl s_client -connect www.library.example:443 -servername www.library.example -sess_out session.pem </dev/null' \
        >>"$work/client.log" 2>&1
    captured resumed_alone_capture \
        'openssl s_client -connect www.library.example:443 -servername www.library.example -sess_in session.pem </dev/null'
    mkdir -p "$samples/one_direction_capture"
    capture "$samples/one_direction_capture/customer.pcap" -i eth0 'udp or dst port 443' -- \
        'curl -sS https://www.harbour.example/'
}

# Chromium sends the extension with random content (GREASE) to servers without a configuration.
browse() {
    client "HOME=$work timeout 20 chromium --headless=new --no-sandbox --disable-gpu --disable-quic --user-data-dir=$work/browser --ignore-certificate-errors --dump-dom $1" \
        >>"$work/client.log" 2>&1 || true
}

encrypted_hello_capture() {
    routes
    browsed www.library.example 198.51.100.203
    tshark -r "$work/browser.pcap" -Y 'dns.qry.name contains "library" or ip.addr == 198.51.100.203' \
        -F pcap -w "$samples/encrypted_hello_capture/customer.pcap" 2>/dev/null
    mkdir -p "$samples/encrypted_hello_alone_capture"
    tshark -r "$work/browser.pcap" -Y 'ip.addr == 198.51.100.203' \
        -F pcap -w "$samples/encrypted_hello_alone_capture/customer.pcap" 2>/dev/null
}

# browsed HOST ADDRESS: what Chromium sends for a host, beside the questions of its own
browsed() {
    local tcpdump
    begin_capture "$work/browser.pcap" -i eth0 "host $2 or udp port 53"
    tcpdump=$started
    browse "https://$1/"
    end_capture "$tcpdump"
}

# An HTTPS record whose ECH configuration the server has no key for: the visible name is cloudflare-ech.com.
outer_name_capture() {
    routes
    browsed hidden.harbour.example 198.51.100.201
    tshark -r "$work/browser.pcap" -Y 'dns.qry.name contains "harbour" or ip.addr == 198.51.100.201' \
        -F pcap -w "$samples/outer_name_capture/customer.pcap" 2>/dev/null
}
