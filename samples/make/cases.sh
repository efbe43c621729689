# One function per sample; its name is its folder.

cases=(
    stage_url_capture stage_url_transcript
    d_name_ok_capture d_name_ok_transcript
    d_name_not_configured_capture d_name_not_configured_transcript
    no_sni_capture no_sni_transcript
    tls13_no_keys_capture tls13_refused_mixed tls13_transcript
    tls13_keylog_capture tls13_secrets_capture tls13_keylog_ok_capture
    dig_only_transcript curl_error_only_transcript
    mixed_utf16 x509_pem
    stage_url_forms stage_url_exports stage_url_clients
    expired_capture expired_transcript not_yet_valid_capture not_yet_valid_transcript tls13_no_sni_capture
    static_address_capture static_address_transcript
    not_covering_capture incomplete_chain_capture incomplete_chain_transcript
    forbidden_transcript dangling_capture dangling_transcript other_region_capture
    cloudfront_capture cloudfront_ok_capture cloudfront_transcript
    private_dns_capture private_dns_transcript private_domain_capture
    load_balancer_capture sni_required_capture sni_required_transcript
    name_forms_capture address_literal_transcript
    configuration_transcripts dns_alone_transcript behind_tls_transcript balancer_ok_capture
    private_domain_ok_capture chain_error_only_transcript subject_only_transcript right_forms_transcript
    stage_url_tools d_name_tools
    http3_keys_capture http3_capture http3_forbidden_capture http2_forbidden_capture http2_coalescing_capture
    http2_shared_capture
    encrypted_dns_keys_capture encrypted_dns_capture
)

stage_url_capture() {
    capture "$work/customer.pcap" -i eth0 'ip or arp' -- 'curl -sS https://www.example.com/'
    editcap -F pcapng "$work/customer.pcap" "$samples/stage_url_capture/customer.pcapng"
}

stage_url_transcript() {
    transcript "$samples/stage_url_transcript/ticket.txt" \
        'dig www.example.com' \
        'openssl s_client -connect www.example.com:443 -servername www.example.com -showcerts </dev/null' \
        'curl -v https://www.example.com/'
}

d_name_ok_capture() {
    capture "$samples/d_name_ok_capture/customer.pcap" -i eth0 'ip or arp' -- 'curl -sS https://api.example.com/'
}

d_name_ok_transcript() {
    transcript "$samples/d_name_ok_transcript/ticket.txt" \
        'dig api.example.com' \
        'openssl s_client -connect api.example.com:443 -servername api.example.com -showcerts </dev/null' \
        'curl -v https://api.example.com/'
}

d_name_not_configured_capture() {
    capture "$samples/d_name_not_configured_capture/customer.pcap" -i eth0 'ip or arp' -- \
        'curl -sS https://shop.example.com/'
}

d_name_not_configured_transcript() {
    transcript "$samples/d_name_not_configured_transcript/ticket.txt" \
        'dig shop.example.com' \
        'openssl s_client -connect shop.example.com:443 -servername shop.example.com -showcerts </dev/null' \
        'curl -v https://shop.example.com/'
}

no_sni_capture() {
    capture "$samples/no_sni_capture/customer.pcap" -i eth0 'ip or arp' -- \
        'openssl s_client -connect api.example.com:443 -noservername </dev/null' \
        'openssl s_client -connect api.example.com:443 -servername api.example.com </dev/null'
}

no_sni_transcript() {
    transcript "$samples/no_sni_transcript/ticket.txt" \
        'openssl version' \
        'dig +short api.example.com' \
        'openssl s_client -connect api.example.com:443 -noservername -showcerts </dev/null' \
        'openssl s_client -connect api.example.com:443 -servername api.example.com -showcerts </dev/null'
}

# curl and openssl write their TLS secrets to a key log, as browsers do.
tls13_keylog_capture() {
    front TLSv1.3
    capture "$samples/tls13_keylog_capture/customer.pcap" -i eth0 'ip or arp' -- \
        "SSLKEYLOGFILE='$work/keys.log' curl -sS https://www.example.com/"
    cp "$work/keys.log" "$samples/tls13_keylog_capture/keys.log"
    front TLSv1.2
}

tls13_secrets_capture() {
    front TLSv1.3
    rm -f "$work/keys.log"
    capture "$work/customer.pcap" -i eth0 'ip or arp' -- \
        "openssl s_client -connect www.example.com:443 -servername www.example.com -keylogfile '$work/keys.log' </dev/null"
    editcap -F pcapng --inject-secrets "tls,$work/keys.log" "$work/customer.pcap" \
        "$samples/tls13_secrets_capture/customer.pcapng"
    front TLSv1.2
}

tls13_keylog_ok_capture() {
    front TLSv1.3
    rm -f "$work/keys.log"
    capture "$work/customer.pcap" -i eth0 'ip or arp' -- \
        "SSLKEYLOGFILE='$work/keys.log' curl -sS https://api.example.com/"
    editcap -F pcapng --inject-secrets "tls,$work/keys.log" "$work/customer.pcap" \
        "$samples/tls13_keylog_ok_capture/customer.pcapng"
    front TLSv1.2
}

tls13_no_keys_capture() {
    front TLSv1.3
    capture "$samples/tls13_no_keys_capture/customer.pcap" -i eth0 'ip or arp' -- 'curl -sS https://www.example.com/'
    front TLSv1.2
}

tls13_refused_mixed() {
    front TLSv1.3
    capture "$samples/tls13_refused_mixed/application.pcap" -i eth0 'ip or arp' -- \
        'dig www.example.com' \
        "openssl s_client -connect www.example.com:443 -servername www.example.com -CAfile $work/pki/root.pem -verify_hostname www.example.com -verify_return_error </dev/null"
    transcript "$samples/tls13_refused_mixed/ticket.txt" \
        'openssl s_client -connect www.example.com:443 -servername www.example.com -showcerts </dev/null'
    front TLSv1.2
}

tls13_transcript() {
    front 'TLSv1.2 TLSv1.3'
    transcript "$samples/tls13_transcript/ticket.txt" \
        'dig www.example.com' \
        'openssl s_client -connect www.example.com:443 -servername www.example.com -showcerts </dev/null' \
        'curl -v https://www.example.com/'
    front TLSv1.2
}

dig_only_transcript() {
    transcript "$samples/dig_only_transcript/dig.txt" \
        'dig www.example.com' \
        'dig +short www.example.com'
}

# As curl prints it, without a prompt.
curl_error_only_transcript() {
    on_terminal 'curl -sS https://www.example.com/' >"$samples/curl_error_only_transcript/error.txt"
}

# The saved file of stage_url_transcript as Windows PowerShell 5.1 writes text with `>`.
mixed_utf16() {
    {
        printf '\xff\xfe'
        sed 's/$/\r/' "$samples/stage_url_transcript/ticket.txt" | iconv -f UTF-8 -t UTF-16LE
    } >"$samples/mixed_utf16/ticket.txt"
}

x509_pem() {
    local served='openssl s_client -connect www.example.com:443 -servername www.example.com </dev/null 2>/dev/null'
    transcript "$samples/x509_pem/x509.txt" \
        "$served | openssl x509 -noout -subject -issuer -dates -ext subjectAltName"
    client "$served | openssl x509" >"$samples/x509_pem/served.pem"
}

# The first sample's traffic in other link types and file forms, one folder each.
# One capture, as each tool prints it.
stage_url_exports() {
    local folder=$samples/stage_url_exports pcap=$work/exports.pcap form
    capture "$pcap" -i eth0 'ip or arp' -- 'curl -sS https://www.example.com/'
    for form in tshark_json tshark_ek tshark_pdml tshark_verbose tshark_fields tcpdump_x netlog; do
        echo "stage_url_exports/$form"
        mkdir -p "$folder/$form"
    done
    local only=(-Y 'dns or tls')
    tshark -n -r "$pcap" "${only[@]}" -T json >"$folder/tshark_json/customer.json"
    tshark -n -r "$pcap" "${only[@]}" -T ek >"$folder/tshark_ek/customer.json"
    tshark -n -r "$pcap" "${only[@]}" -T pdml | grep -v '<pdml' >"$work/customer.pdml"
    # the first lines name the version and the file
    { echo '<?xml version="1.0" encoding="utf-8"?>'; echo '<pdml version="0">'; grep -v '^<?xml' "$work/customer.pdml"; } \
        >"$folder/tshark_pdml/customer.pdml"
    tshark -n -r "$pcap" "${only[@]}" -V >"$folder/tshark_verbose/customer.txt"
    tshark -n -r "$pcap" "${only[@]}" -T fields -E header=y -E separator=, -E quote=d -e frame.number -e frame.time_epoch \
        -e ip.src -e ip.dst -e tcp.srcport -e tcp.dstport -e udp.srcport -e udp.dstport -e tcp.stream \
        -e dns.flags.response -e dns.qry.name -e dns.qry.type -e dns.cname -e dns.a \
        -e tls.handshake.type -e tls.handshake.extensions_server_name -e tls.handshake.version \
        -e tls.handshake.ciphersuite -e tls.handshake.certificate >"$folder/tshark_fields/customer.csv"
    tcpdump -n -tttt -X -r "$pcap" 'port 53 or port 443' 2>/dev/null >"$folder/tcpdump_x/customer.txt"
    netlog "$folder/netlog/customer.json"
}

# netlog FILE: what Chrome logs while it opens the page; the command line names folders of this machine
netlog() {
    client "chromium --headless=new --no-sandbox --disable-gpu --no-first-run --disable-sync --disable-extensions \
        --disable-background-networking --disable-component-update --disable-default-apps --disable-domain-reliability \
        --user-data-dir='$work/chromium' --log-net-log='$work/netlog.json' --timeout=8000 --dump-dom \
        https://www.example.com/" >/dev/null 2>&1 || true
    sed -E 's/"command_line":"[^"]*"/"command_line":""/; s/"os_type":"[^"]*"/"os_type":"Linux"/;
        s/"activeFieldTrialGroups":\[[^]]*\]/"activeFieldTrialGroups":[]/' "$work/netlog.json" >"$1"
}

# The words of clients that are not curl.
stage_url_clients() {
    local folder=$samples/stage_url_clients form
    for form in wget wget_no_check python node git curl_trace curl_json; do
        echo "stage_url_clients/$form"
        mkdir -p "$folder/$form"
    done
    transcript "$folder/wget/ticket.txt" 'wget -O /dev/null https://www.example.com/'
    transcript "$folder/wget_no_check/ticket.txt" 'wget --no-check-certificate -S -O /dev/null https://www.example.com/'
    local ask="import urllib.request; urllib.request.urlopen('https://www.example.com/')"
    client "/usr/bin/python3 -c \"$ask\"" >"$folder/python/error.txt" 2>&1 || true
    ask="require('https').get('https://www.example.com/')"
    client "NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt node -e \"$ask\"" >"$folder/node/error.txt" 2>&1 || true
    client 'git clone https://www.example.com/x.git x' >"$folder/git/error.txt" 2>&1 || true
    transcript "$folder/curl_trace/ticket.txt" 'dig www.example.com' 'curl --trace-ascii - --trace-time https://www.example.com/'
    transcript "$folder/curl_json/ticket.txt" 'dig +short www.example.com' \
        "curl -sk -o /dev/null -w '%{json}\n' https://www.example.com/"
}

stage_url_forms() {
    local form
    for form in sll sll2 nano dns_tcp ipv6 two_interfaces loopback raw_ip vlan null; do
        echo "stage_url_forms/$form"
        mkdir -p "$samples/stage_url_forms/$form"
        "form_$form" "$samples/stage_url_forms/$form"
    done
}

form_sll()  { capture "$1/customer.pcap" -i any -y LINUX_SLL 'ip or arp' -- 'curl -sS https://www.example.com/'; }
form_sll2() { capture "$1/customer.pcap" -i any -y LINUX_SLL2 'ip or arp' -- 'curl -sS https://www.example.com/'; }
form_nano() { capture "$1/customer.pcap" -i eth0 --time-stamp-precision=nano 'ip or arp' -- 'curl -sS https://www.example.com/'; }

# `use-vc` makes the C library ask by TCP, as it does after a truncated answer.
form_dns_tcp() {
    resolv_conf 'nameserver 203.0.113.53' 'options use-vc'
    capture "$1/customer.pcap" -i eth0 'ip or arp' -- 'dig +tcp www.example.com' 'curl -sS https://www.example.com/'
    resolv_conf 'nameserver 203.0.113.53'
}

form_ipv6() {
    resolv_conf 'nameserver 2001:db8:53::53'
    client_v6
    capture "$1/customer.pcap" -i eth0 'udp or tcp or (icmp6 and ip6[40] >= 135)' -- 'curl -sS -6 https://www.example.com/'
    quiet_v6 wc-client 1
    resolv_conf 'nameserver 203.0.113.53'
}

# DNS by eth1, TLS by eth0; one pcapng that holds both interfaces.
form_two_interfaces() {
    local second
    ip -n wc-client route add 203.0.113.53 via 192.0.2.129 dev eth1
    begin_capture "$work/eth1.pcap" -i eth1 'ip or arp'
    second=$started
    capture "$work/eth0.pcap" -i eth0 'ip or arp' -- 'curl -sS https://www.example.com/'
    end_capture "$second"
    ip -n wc-client route del 203.0.113.53
    mergecap -F pcapng -I none -w "$1/customer.pcapng" "$work/eth0.pcap" "$work/eth1.pcap"
    # mergecap notes the kernel it ran on; blanks of the same length keep the blocks whole
    LC_ALL=C sed -i "s/Linux $(uname -r)/Linux $(uname -r | sed 's/./ /g')/" "$1/customer.pcapng"
}

# The client on the server's own machine, with a resolver there: all of it by the loopback interface.
form_loopback() {
    local etc=/etc/netns/wc-front
    mkdir -p $etc/unbound
    sed 's/interface: 203.0.113.53/interface: 127.0.0.1/; /2001:db8/d; s/192.0.2.0/127.0.0.0/' \
        "$conf/unbound.conf" >$etc/unbound/unbound.conf
    cp -r /etc/netns/wc-client/ssl $etc/
    echo 'nameserver 127.0.0.1' >$etc/resolv.conf
    start wc-front unbound -d -c /etc/unbound/unbound.conf
    client_ns=wc-front
    wait_until client 'dig +time=1 +tries=1 api.example.com'
    capture "$1/customer.pcap" -i lo ip -- 'curl -sS -4 https://www.example.com/'
    client_ns=wc-client
}

# A tunnel device has no link layer: packets begin with their IP header.
form_raw_ip() {
    start wc-net socat TUN:192.0.2.229/30,tun-name=tun0,iff-no-pi,up UDP:192.0.2.10:4000,bind=192.0.2.1:4000
    start wc-client socat TUN:192.0.2.230/30,tun-name=tun0,iff-no-pi,up UDP:192.0.2.1:4000,bind=192.0.2.10:4000
    wait_until ip -n wc-client link show tun0
    ip -n wc-client route add 203.0.113.53 via 192.0.2.229
    ip -n wc-client route add 198.51.100.0/24 via 192.0.2.229
    capture "$1/customer.pcap" -i tun0 ip -- 'curl -sS https://www.example.com/'
    ip -n wc-client route del 203.0.113.53
    ip -n wc-client route del 198.51.100.0/24
}

# The kernel's own VLAN and null devices are not everywhere, so tcpreplay's tcprewrite puts the
# other link header on a capture of the same kind as the first.
form_vlan() {
    capture "$work/plain.pcap" -i eth0 ip -- 'curl -sS https://www.example.com/'
    tcprewrite --enet-vlan=add --enet-vlan-tag=100 --enet-vlan-cfi=0 --enet-vlan-pri=0 \
        -i "$work/plain.pcap" -o "$1/customer.pcap"
}

# The header of macOS's and BSD's lo0: the address family in the host's byte order.
form_null() {
    capture "$work/plain.pcap" -i eth0 ip -- 'curl -sS https://www.example.com/'
    tcprewrite --dlt=user --user-dlt=0 --user-dlink=02,00,00,00 \
        -i "$work/plain.pcap" -o "$1/customer.pcap"
}

# One command of the client, captured.
captured() {
    local folder=$1
    shift
    capture "$samples/$folder/customer.pcap" -i eth0 'ip or arp' -- "$@"
}

# What a support engineer asks for, of one host.
three_commands() {
    transcript "$samples/$1/ticket.txt" \
        "dig $2" \
        "openssl s_client -connect $2:443 -servername $2 -showcerts </dev/null" \
        "curl -v https://$2/"
}

expired_capture()    { captured expired_capture 'curl -sS https://old.example.com/'; }
expired_transcript() { three_commands expired_transcript old.example.com; }
not_yet_valid_capture()    { captured not_yet_valid_capture 'curl -sS https://new.example.com/'; }
not_yet_valid_transcript() { three_commands not_yet_valid_transcript new.example.com; }

tls13_no_sni_capture() {
    front TLSv1.3
    captured tls13_no_sni_capture 'openssl s_client -connect api.example.com:443 -noservername </dev/null'
    front TLSv1.2
}

static_address_capture()    { captured static_address_capture 'curl -sS https://static.example.com/'; }
static_address_transcript() { three_commands static_address_transcript static.example.com; }
not_covering_capture()      { captured not_covering_capture 'curl -sS https://v1.orders.example.com/'; }
incomplete_chain_capture()    { captured incomplete_chain_capture 'curl -sS https://part.example.com/'; }
incomplete_chain_transcript() { three_commands incomplete_chain_transcript part.example.com; }
forbidden_transcript() { three_commands forbidden_transcript forbidden.example.com; }
dangling_capture()     { captured dangling_capture 'curl -sS -4 https://gone.example.com/'; }

dangling_transcript() {
    transcript "$samples/dangling_transcript/ticket.txt" 'dig gone.example.com' 'curl -v https://gone.example.com/'
}

other_region_capture()  { captured other_region_capture 'curl -sS https://moved.example.com/'; }
cloudfront_capture()    { captured cloudfront_capture 'curl -sS https://edge.example.com/'; }
cloudfront_ok_capture() { captured cloudfront_ok_capture 'curl -sS https://cdn.example.com/'; }
cloudfront_transcript() { three_commands cloudfront_transcript edge.example.com; }

private_dns_capture()    { in_vpc captured private_dns_capture 'curl -sS https://api.example.com/'; }
private_dns_transcript() { in_vpc three_commands private_dns_transcript api.example.com; }
private_domain_capture() { captured private_domain_capture 'curl -sS https://inside.example.com/'; }

load_balancer_capture() {
    captured load_balancer_capture 'curl -sS https://my-nlb-0123456789abcdef.elb.us-east-1.amazonaws.com/'
}

sni_required_capture() {
    captured sni_required_capture \
        'openssl s_client -connect strict.example.com:443 -noservername </dev/null'
}

sni_required_transcript() {
    transcript "$samples/sni_required_transcript/ticket.txt" \
        'dig +short strict.example.com' \
        'openssl s_client -connect strict.example.com:443 -noservername </dev/null'
}

# One connection for each form in which a certificate can fail to cover a name.
name_forms_capture() {
    captured name_forms_capture \
        'curl -sS https://example.net/' 'curl -sS https://example.org/' 'curl -sS https://cn.example.net/' \
        'curl -sS https://w1.example.net/' 'curl -sS https://xn--bcher-kva.example.net/'
}

address_literal_transcript() {
    transcript "$samples/address_literal_transcript/ticket.txt" 'curl -v https://198.51.100.50/' \
        'openssl s_client -connect 198.51.100.50:443 -showcerts </dev/null'
}

# What dig and s_client print beside the exported configuration of the configuration_* samples, whose
# aws.txt is typed in the shape of the AWS CLI.
configuration_transcripts() {
    local name host
    for name in stage:www fixed:static alias:static edge_pending:edge edge_available:edge migrated:api other_target:shop; do
        host=${name#*:}.example.com
        mkdir -p "$samples/configuration_${name%:*}"
        transcript "$samples/configuration_${name%:*}/ticket.txt" "dig $host" \
            "openssl s_client -connect $host:443 -servername $host -showcerts </dev/null"
    done
    mkdir -p "$samples/configuration_certificate" "$samples/configuration_endpoint"
    transcript "$samples/configuration_certificate/ticket.txt" 'dig v1.orders.example.com' \
        'openssl s_client -connect v1.orders.example.com:443 -servername v1.orders.example.com -showcerts </dev/null'
    in_vpc transcript "$samples/configuration_endpoint/ticket.txt" 'dig www.example.com' \
        'openssl s_client -connect www.example.com:443 -servername www.example.com -showcerts </dev/null'
}

# The CNAME alone, without where it leads on.
dns_alone_transcript() {
    transcript "$samples/dns_alone_transcript/ticket.txt" 'dig api.example.com CNAME' 'dig edge.example.com CNAME' \
        'dig inside.example.com CNAME' 'dig my-nlb-0123456789abcdef.elb.us-east-1.amazonaws.com'
}

# A 403 of API Gateway behind a certificate that is wrong, and behind one that curl -k does not compare.
behind_tls_transcript() {
    transcript "$samples/behind_tls_transcript/ticket.txt" 'curl -vk https://www.example.com/' \
        'curl -vk https://forbidden.example.com/'
}

balancer_ok_capture() {
    captured balancer_ok_capture 'curl -sS https://my-alb-0123456789abcdef.elb.us-east-1.amazonaws.com/'
}

private_domain_ok_capture() { captured private_domain_ok_capture 'curl -sS https://associated.example.com/'; }

chain_error_only_transcript() {
    transcript "$samples/chain_error_only_transcript/ticket.txt" 'curl -sS https://part.example.com/'
}

# `-brief` prints the subject only.
subject_only_transcript() {
    transcript "$samples/subject_only_transcript/ticket.txt" \
        'openssl s_client -brief -connect old.example.com:443 -servername old.example.com </dev/null' \
        'openssl s_client -brief -connect xn--bcher-kva.example.net:443 -servername xn--bcher-kva.example.net </dev/null' \
        'openssl s_client -brief -connect 198.51.100.50:443 </dev/null'
}

right_forms_transcript() {
    transcript "$samples/right_forms_transcript/ticket.txt" \
        'openssl s_client -connect xn--mnchen-3ya.example.net:443 -servername xn--mnchen-3ya.example.net -showcerts </dev/null' \
        'openssl s_client -connect 198.51.100.51:443 -showcerts </dev/null'
}

# The same two hosts through other tools, one folder each.
stage_url_tools() { tools stage_url_tools www.example.com; }
d_name_tools()    { tools d_name_tools api.example.com; }

# tools SAMPLE HOST
tools() {
    local at=$samples/$1 host=$2
    local served="openssl s_client -connect $host:443 -servername $host </dev/null"
    mkdir -p "$at"/{kdig,drill,delv,host,nslookup,gnutls_cli}
    transcript "$at/kdig/ticket.txt" "kdig $host" "gnutls-cli --print-cert $host </dev/null"
    transcript "$at/drill/ticket.txt" "drill $host" \
        "$served 2>/dev/null | openssl x509 -noout -subject -issuer -dates -serial -ext subjectAltName"
    transcript "$at/delv/ticket.txt" "delv +noroot $host" "$served"
    transcript "$at/host/ticket.txt" "host $host" "curl -v https://$host/" "$served 2>/dev/null | openssl x509 -noout -text"
    transcript "$at/nslookup/ticket.txt" "nslookup $host" "$served"
    transcript "$at/gnutls_cli/ticket.txt" "dig +short $host" "gnutls-cli $host </dev/null"
}

# The stage URL over HTTP/3: with the secrets, and without.
http3_keys_capture()  { with_h3 execute-api h3_captured http3_keys_capture www.example.com keys.log; }
http3_capture()       { with_h3 execute-api h3_captured http3_capture www.example.com -; }
http3_forbidden_capture() { with_h3 forbidden.example.com h3_captured http3_forbidden_capture forbidden.example.com keys.log; }

# h3_captured FOLDER NAME SECRETS
h3_captured() {
    captured "$1" "PYTHONPATH=./python python3 ./h3_client.py $2 $3"
    [ "$3" = - ] || cp "$work/$3" "$samples/$1/"
}

http2_forbidden_capture() { with_h2 keys_captured http2_forbidden_capture 'curl -sS https://forbidden.example.com/v1/orders'; }

# keys_captured FOLDER COMMAND...
keys_captured() {
    local folder=$1
    shift
    captured "$folder" "${@/#/SSLKEYLOGFILE=keys.log }"
    install -m 644 "$work/keys.log" "$samples/$folder/"
    rm "$work/keys.log"
}

# A browser uses one connection for two names of one address that the certificate covers.
http2_coalescing_capture() {
    with_h2 keys_captured http2_coalescing_capture "$(browser) https://one.example.com/"
}

# The same where the second name is answered.
http2_shared_capture() {
    with_h2 keys_captured http2_shared_capture "$(browser) https://page.example.com/"
}

# browser [CERTIFICATE]: Debian's Chromium; it trusts the leaf by its key, since it does not read the system's roots.
browser() {
    local key
    key=$(openssl x509 -in "$WC_PKI/${1:-wildcard}.pem" -pubkey -noout | openssl pkey -pubin -outform der |
        openssl dgst -sha256 -binary | base64)
    echo "timeout 20 chromium --headless=new --no-sandbox --disable-gpu --disable-background-networking" \
        "--disable-component-update --disable-sync --no-first-run --disable-default-apps --no-pings" \
        "--disable-domain-reliability --disable-features=OptimizationHints,MediaRouter,DialMediaRouteProvider" \
        "--user-data-dir=./chromium --ignore-certificate-errors-spki-list=$key --virtual-time-budget=3000 --dump-dom"
}

# The names are resolved over HTTPS, by curl itself, and over TLS.
encrypted_dns_keys_capture() { with_encrypted_dns keys_captured encrypted_dns_keys_capture "${encrypted_dns[@]}"; }
encrypted_dns_capture()      { with_encrypted_dns captured encrypted_dns_capture "${encrypted_dns[@]}"; }
encrypted_dns=(
    'curl -sS --doh-url https://dns.example.com/dns-query https://www.example.com/'
    'kdig +tls-ca +tls-host=dns.example.com @203.0.113.54 api.example.com'
)
