# The servers of sites.sh's cases: what software and platforms present by themselves, chains with faults,
# servers that refuse. sites_setup is called once by the cases that need them.

sites=(
    default_certificates_capture default_certificates_silent_transcript hosting_capture hosting_transcript
    authorities_capture authorities_transcript chains_capture chains_transcript
    balancer_capture neighbour_capture mail_capture mail_transcript
    refusals_capture refusals_transcript client_certificate_capture client_certificate_transcript
    revoked_capture renewed_transcript renewed_ok_transcript silent_tls13_capture nodes_capture key_kinds_capture
)

sites_setup() {
    [ -z "${sites_ready:-}" ] || return 0
    sites_ready=1
    sites_pki
    local address
    namespaces+=(wc-sites)
    ip netns add wc-sites
    ip -n wc-sites link set lo up
    quiet_v6 wc-sites 1
    link wc-sites eth0 s0 10.99.0.1/30 10.99.0.2/30
    for address in 10.0.1.26 198.51.100.{70..89}; do
        ip -n wc-sites address add "$address/32" dev eth0
        ip -n wc-net route add "$address" via 10.99.0.2
    done
    mkdir -p /etc/netns/wc-sites/nginx
    cp -r "$WC_PKI" /etc/netns/wc-sites/nginx/pki
    sites_conf >/etc/netns/wc-sites/nginx/nginx.conf
    start wc-sites nginx -c /etc/nginx/nginx.conf
    wait_until ip netns exec wc-sites bash -c 'exec 3<>/dev/tcp/198.51.100.70/443'
    start wc-sites openssl s_server -accept 198.51.100.82:443 -quiet -tls1_2 -Verify 1 -verify_return_error \
        -CAfile /etc/nginx/pki/root.pem -cert /etc/nginx/pki/mtls.pem -key /etc/nginx/pki/mtls.key \
        -cert_chain /etc/nginx/pki/intermediate.pem
    wait_until ip netns exec wc-sites bash -c 'exec 3<>/dev/tcp/198.51.100.82/443'
    mkdir -p /etc/netns/wc-client/ssl/own
    cp "$WC_PKI/crl.pem" "$WC_PKI/client.pem" "$WC_PKI/client.key" "$WC_PKI"/nodes.{old,new}.pem /etc/netns/wc-client/ssl/own/
}

sites_pki() {
    own_certificate k8s '/O=Acme Co/CN=Kubernetes Ingress Controller Fake Certificate' DNS:ingress.local
    own_certificate traefik '/CN=TRAEFIK DEFAULT CERT' \
        DNS:d6107e2092939254793134b9901a65aa.8976c900000000000000000000000000.traefik.default
    own_certificate panel '/C=CH/L=Schaffhausen/O=Plesk/CN=Plesk/emailAddress=info@plesk.com' ''
    own_certificate nas '/C=TW/L=Taipel/O=Synology Inc./CN=synology' DNS:synology
    own_certificate own '/O=Example/CN=self.example.com' DNS:self.example.com

    authority staging '/C=US/O=(STAGING) Let'"'"'s Encrypt/CN=(STAGING) Pretend Pear X1' '/C=US/O=(STAGING) Let'"'"'s Encrypt/CN=(STAGING) Riddling Rhubarb R12'
    authority origin '/C=US/O=CloudFlare, Inc./OU=CloudFlare Origin SSL Certificate Authority/L=San Francisco/ST=California' ''
    issue staging.leaf /CN=staging.example.com DNS:staging.example.com staging.sub
    cat "$WC_PKI/staging.leaf.pem" "$WC_PKI/staging.sub.pem" >"$WC_PKI/staging.chain.pem"
    issue origin.leaf '/O=CloudFlare, Inc./OU=CloudFlare Origin CA/CN=CloudFlare Origin Certificate' \
        'DNS:*.example.com,DNS:example.com' origin.root
    cp "$WC_PKI/origin.leaf.pem" "$WC_PKI/origin.chain.pem"
    authority company '/O=Example Company/CN=Example Company Root' '/O=Example Company/CN=Example Company Issuing CA'
    issue private.leaf /CN=private.example.com DNS:private.example.com company.sub
    cat "$WC_PKI/private.leaf.pem" "$WC_PKI/company.sub.pem" "$WC_PKI/company.root.pem" >"$WC_PKI/private.chain.pem"

    new_leaf disorder disorder.example.com DNS:disorder.example.com
    cat "$WC_PKI/disorder.pem" "$WC_PKI/cross.pem" "$WC_PKI/intermediate.pem" "$WC_PKI/company.root.pem" \
        >"$WC_PKI/disorder.chain.pem"
    new_leaf heroku '*.herokuapp.com' 'DNS:*.herokuapp.com'
    new_leaf netlify '*.netlify.app' 'DNS:*.netlify.app,DNS:netlify.app'
    new_leaf shelter shelter.example.com DNS:shelter.example.com
    new_leaf store store.example.com DNS:store.example.com
    new_leaf offers offers.example.com DNS:offers.example.com
    new_leaf mx mx1.example.net 'DNS:mx1.example.net'
    new_leaf post post.example.com DNS:post.example.com
    new_leaf known known.example.com DNS:known.example.com
    new_leaf mtls mtls.example.com 'DNS:mtls.example.com,DNS:mtls.example.net,DNS:choice.example.com,DNS:choice.example.net'
    new_leaf client client DNS:client.example.com
    new_leaf nodes.old nodes.example.com DNS:nodes.example.com '-430 days' '-34 days'
    new_leaf nodes.new nodes.example.com DNS:nodes.example.com
    new_leaf pair.one pair.example.com DNS:pair.example.com
    new_leaf kinds.old kinds.example.com DNS:kinds.example.com '-430 days' '-34 days'
    key_options='ec -pkeyopt ec_paramgen_curve:P-256' new_leaf kinds.new kinds.example.com DNS:kinds.example.com
    new_leaf same.rsa same.example.com DNS:same.example.com
    key_options='ec -pkeyopt ec_paramgen_curve:P-256' new_leaf same.ec same.example.com DNS:same.example.com
    new_leaf withdrawn withdrawn.example.com DNS:withdrawn.example.com
    openssl ca -config "$conf/ca.cnf" -revoke "$WC_PKI/withdrawn.pem" -cert "$WC_PKI/intermediate.pem" \
        -keyfile "$WC_PKI/intermediate.key" 2>/dev/null
    openssl ca -config "$conf/ca.cnf" -gencrl -crldays 30 -cert "$WC_PKI/intermediate.pem" \
        -keyfile "$WC_PKI/intermediate.key" -out "$WC_PKI/crl.pem" 2>/dev/null
}

# own_certificate NAME SUBJECT SAN: signed by itself, as software makes it at its installation
own_certificate() {
    local san=()
    [ -z "$3" ] || san=(-addext "subjectAltName=$3")
    openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "$2" "${san[@]}" \
        -keyout "$WC_PKI/$1.key" -out "$WC_PKI/$1.chain.pem" 2>/dev/null
}

# authority NAME ROOT SUB: a root and, where a subject is given, an intermediate of its own
authority() {
    new_key "$1.root" "$2"
    sign_sub root "$1.root" '' "$1.root"
    [ -z "$3" ] || { new_key "$1.sub" "$3"; sign_sub intermediate "$1.sub" "$1.root"; }
}

sign_sub() {
    local options=()
    [ -n "$3" ] || options=(-selfsign -keyfile "$WC_PKI/$4.key")
    openssl ca -batch -notext -config "$conf/ca.cnf" -policy any_name -extensions "$1" \
        ${3:+-cert "$WC_PKI/$3.pem" -keyfile "$WC_PKI/$3.key"} "${options[@]}" \
        -startdate "$(date -u -d '-800 days' +%Y%m%d000000Z)" -enddate "$(date -u -d '+1400 days' +%Y%m%d235959Z)" \
        -in "$WC_PKI/$2.csr" -out "$WC_PKI/$2.pem" 2>"$WC_PKI/$2.log" || { cat "$WC_PKI/$2.log" >&2; return 1; }
}

# issue NAME SUBJECT SAN ISSUER
issue() {
    WC_SAN=$3
    new_key "$1" "$2"
    openssl ca -batch -notext -config "$conf/ca.cnf" -policy any_name -extensions leaf \
        -cert "$WC_PKI/$4.pem" -keyfile "$WC_PKI/$4.key" \
        -startdate "$(date -u -d '-40 days' +%Y%m%d000000Z)" -enddate "$(date -u -d '+356 days' +%Y%m%d235959Z)" \
        -in "$WC_PKI/$1.csr" -out "$WC_PKI/$1.pem" 2>"$WC_PKI/$1.log" || { cat "$WC_PKI/$1.log" >&2; return 1; }
}

# site ADDRESS NAMES CERTIFICATE [LINE...]: one server of nginx; names of `-` are the default of the address
site() {
    local address=$1 names=$2 certificate=$3 default='' name_line=''
    shift 3
    [ "$names" = - ] && default=' default_server' || name_line="server_name $names;"
    [[ $address = *:* ]] || address=$address:443
    printf 'server {\n    listen %s ssl%s;\n    %s\n' "$address" "$default" "$name_line"
    if [ "$certificate" = - ]; then
        printf '    ssl_reject_handshake on;\n'
    else
        local one
        for one in $certificate; do
            printf '    ssl_certificate /etc/nginx/pki/%s.chain.pem;\n    ssl_certificate_key /etc/nginx/pki/%s.key;\n' \
                "$one" "${one%.chain}"
        done
    fi
    printf '    %s\n' "$@" 'return 200 "hello\n";' '}'
}

sites_conf() {
    cp "$WC_PKI/staging.leaf.key" /etc/netns/wc-sites/nginx/pki/staging.key
    cp "$WC_PKI/origin.leaf.key" /etc/netns/wc-sites/nginx/pki/origin.key
    cp "$WC_PKI/private.leaf.key" /etc/netns/wc-sites/nginx/pki/private.key
    printf 'worker_processes 1;\ndaemon off;\npid /run/wc-sites.pid;\nerror_log stderr;\nevents { }\nhttp {\n'
    printf 'access_log off;\nserver_tokens off;\nssl_protocols TLSv1.2;\nssl_session_tickets off;\n'
    site 198.51.100.70 - k8s
    site 198.51.100.71 - traefik
    site 198.51.100.72 - panel
    site 10.0.1.26 - nas
    site 198.51.100.73 - staging
    site 198.51.100.74 - origin
    site 198.51.100.75 - own
    site 198.51.100.76 disorder.example.com disorder
    site 198.51.100.76 private.example.com private
    site 198.51.100.77 - heroku
    site 198.51.100.78 - netlify
    site 198.51.100.79 - shelter
    site 198.51.100.80 - store
    site 198.51.100.80 offers.example.com offers
    site 198.51.100.81:993 - mx
    site 198.51.100.81:465 - mx
    site 198.51.100.81:995 post.example.com post
    site 198.51.100.83 - nodes.new
    site 198.51.100.84 - nodes.old
    site 198.51.100.85 kinds.example.com 'kinds.old kinds.new'
    site 198.51.100.85 same.example.com 'same.rsa same.ec'
    site 198.51.100.85 withdrawn.example.com withdrawn
    site 198.51.100.86 - pair.one
    site 198.51.100.87 - pair.one
    site 198.51.100.88 - -
    site 198.51.100.88 known.example.com known
    site 198.51.100.89 - mtls 'ssl_client_certificate /etc/nginx/pki/root.pem;' 'ssl_verify_client optional_no_ca;'
    printf '}\n'
}

default_certificates_capture() {
    sites_setup
    captured default_certificates_capture 'curl -sS https://cluster.example.com/' 'curl -sS https://proxy.example.com/' \
        'curl -sS https://panel.example.com/' 'curl -sS https://cloud.example.com/' 'curl -sS https://self.example.com/'
}

# The same servers, asked without a name, and what curl says of the last.
default_certificates_silent_transcript() {
    sites_setup
    transcript "$samples/default_certificates_silent_transcript/ticket.txt" \
        'openssl s_client -connect cluster.example.com:443 -noservername </dev/null' \
        'openssl s_client -connect proxy.example.com:443 -noservername </dev/null' \
        'openssl s_client -connect panel.example.com:443 -noservername </dev/null' \
        'openssl s_client -connect cloud.example.com:443 -noservername </dev/null' \
        'curl -sS https://self.example.com/'
}

hosting_capture() {
    sites_setup
    captured hosting_capture 'curl -sS https://app.example.com/' 'curl -sS https://blog.example.com/' \
        'curl -sS --resolve shelter.example.com:443:198.51.100.77 https://shelter.example.com/' \
        'dig shelter.example.com' 'curl -sS --resolve shelter.example.com:443:198.51.100.79 https://shelter.example.com/'
}

hosting_transcript() {
    sites_setup
    transcript "$samples/hosting_transcript/ticket.txt" 'dig app.example.com' 'dig blog.example.com' \
        'dig docs.example.com' 'dig pages.example.com' 'dig market.example.com' \
        'openssl s_client -connect plain.example.com:443 -servername plain.example.com </dev/null' \
        'openssl s_client -connect blog.example.com:443 -noservername </dev/null'
}

authorities_capture() {
    sites_setup
    captured authorities_capture 'curl -sS https://staging.example.com/' 'curl -sS https://origin.example.com/' \
        'curl -sS https://private.example.com/'
}

authorities_transcript() {
    sites_setup
    transcript "$samples/authorities_transcript/ticket.txt" \
        'openssl s_client -connect staging.example.com:443 -servername staging.example.com -showcerts </dev/null' \
        'curl -v https://origin.example.com/'
}

chains_capture() {
    sites_setup
    captured chains_capture 'curl -sS https://disorder.example.com/' \
        'openssl s_client -connect private.example.com:443 -servername private.example.com -verify_return_error </dev/null'
}

chains_transcript() {
    sites_setup
    transcript "$samples/chains_transcript/ticket.txt" 'curl -sS https://private.example.com/' \
        'openssl s_client -connect self.example.com:443 -servername self.example.com -showcerts </dev/null'
}

balancer_capture() {
    sites_setup
    captured balancer_capture 'curl -sS https://offers.example.com/' 'curl -sS https://market.example.com/'
}

neighbour_capture() {
    captured neighbour_capture 'curl -sS https://www.example.net/' 'curl -sS https://shop.example.net/' \
        'curl -sS https://xn--mnchen-3ya.example.net/' 'openssl s_client -connect w1.example.net:443 -noservername </dev/null'
}

mail_capture() {
    sites_setup
    captured mail_capture 'dig example.com MX' \
        'openssl s_client -connect mail.example.com:993 -servername mail.example.com </dev/null' \
        'openssl s_client -connect post.example.com:995 -servername post.example.com </dev/null'
}

mail_transcript() {
    sites_setup
    transcript "$samples/mail_transcript/ticket.txt" \
        'openssl s_client -brief -connect post.example.com:995 -servername post.example.com </dev/null' \
        'openssl s_client -connect mail.example.com:465 -servername mail.example.com </dev/null'
}

# A name that the server does not know, no name, a version and a cipher that it does not take.
refusals_capture() {
    sites_setup
    captured refusals_capture 'curl -sS https://unknown.example.com/' \
        'openssl s_client -connect known.example.com:443 -noservername </dev/null' \
        'openssl s_client -connect known.example.com:443 -servername known.example.com </dev/null' \
        'curl -sS --tlsv1.3 https://www.example.net/' 'curl -sS https://www.example.net/' \
        'curl -sS --tlsv1.3 https://api.example.com/' \
        'openssl s_client -connect cn.example.net:443 -servername cn.example.net -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256 </dev/null' \
        'openssl s_client -connect shop.example.com:443 -servername shop.example.com -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256 </dev/null'
}

refusals_transcript() {
    sites_setup
    front TLSv1.3
    transcript "$samples/refusals_transcript/ticket.txt" 'curl -sS https://unknown.example.com/' \
        'openssl s_client -connect known.example.com:443 -servername unknown.example.com </dev/null' \
        'openssl s_client -connect www.example.net:443 -servername www.example.net -tls1_2 </dev/null'
    front TLSv1.2
    transcript "$samples/refusals_transcript/curl.txt" \
        'curl -sS --tlsv1.2 --tls-max 1.2 --ciphers ECDHE-ECDSA-AES128-GCM-SHA256 https://cn.example.net/'
}

client_certificate_capture() {
    sites_setup
    local with='-cert /etc/ssl/own/client.pem -key /etc/ssl/own/client.key'
    captured client_certificate_capture \
        'openssl s_client -connect mtls.example.com:443 -servername mtls.example.com -tls1_2 </dev/null' \
        'openssl s_client -connect mtls.example.net:443 -servername mtls.example.net -tls1_2 </dev/null'
    mkdir -p "$samples/client_certificate_sent_capture" "$samples/client_certificate_optional_capture"
    captured client_certificate_sent_capture \
        "openssl s_client -connect mtls.example.com:443 -servername mtls.example.com -tls1_2 $with </dev/null" \
        "openssl s_client -connect mtls.example.net:443 -servername mtls.example.net -tls1_2 $with </dev/null"
    captured client_certificate_optional_capture 'curl -sS https://choice.example.com/' 'curl -sS https://choice.example.net/'
}

silent_tls13_capture() {
    front TLSv1.3
    captured silent_tls13_capture 'openssl s_client -connect www.example.net:443 -noservername </dev/null'
    front TLSv1.2
}

client_certificate_transcript() {
    sites_setup
    transcript "$samples/client_certificate_transcript/ticket.txt" \
        'openssl s_client -connect mtls.example.net:443 -servername mtls.example.net -tls1_2 </dev/null'
}

revoked_capture() {
    sites_setup
    captured revoked_capture \
        'openssl s_client -connect withdrawn.example.com:443 -servername withdrawn.example.com -crl_check -CRL /etc/ssl/own/crl.pem -verify_return_error </dev/null' \
        'openssl s_client -connect api.example.com:443 -servername api.example.com -verify_hostname other.example.com -verify_return_error </dev/null'
}

renewed_transcript() {
    sites_setup
    transcript "$samples/renewed_transcript/ticket.txt" \
        'dig nodes.example.com' \
        'openssl s_client -connect 198.51.100.84:443 -servername nodes.example.com </dev/null' \
        'openssl x509 -in /etc/ssl/own/nodes.new.pem -noout -subject -serial -dates -ext subjectAltName'
}

# The other way round: the file is the older one.
renewed_ok_transcript() {
    sites_setup
    transcript "$samples/renewed_ok_transcript/ticket.txt" \
        'openssl s_client -connect 198.51.100.83:443 -servername nodes.example.com </dev/null' \
        'openssl x509 -in /etc/ssl/own/nodes.old.pem -noout -subject -serial -dates -ext subjectAltName'
}

# Both addresses of one name; one of them still has the certificate of last year.
nodes_capture() {
    sites_setup
    captured nodes_capture 'dig nodes.example.com' \
        'curl -sS --resolve nodes.example.com:443:198.51.100.83 https://nodes.example.com/' \
        'curl -sS --resolve nodes.example.com:443:198.51.100.84 https://nodes.example.com/' \
        'dig pair.example.com' \
        'curl -sS --resolve pair.example.com:443:198.51.100.86 https://pair.example.com/' \
        'curl -sS --resolve pair.example.com:443:198.51.100.87 https://pair.example.com/'
}

key_kinds_capture() {
    sites_setup
    local name
    for name in kinds same; do
        set -- "$@" "openssl s_client -connect $name.example.com:443 -servername $name.example.com -sigalgs RSA-PSS+SHA256:RSA+SHA256 </dev/null" \
            "openssl s_client -connect $name.example.com:443 -servername $name.example.com -sigalgs ECDSA+SHA256 </dev/null"
    done
    captured key_kinds_capture "$@"
}
