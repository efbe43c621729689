# A chain in AWS's shape: leaves of 397 days, the intermediate "Amazon RSA 2048 M02", and above it
# "Amazon Root CA 1" twice: signed by itself, as clients trust it, and by an older root, as servers send it.
# The keys are made afresh in each run and thrown away with it.

make_pki() {
    export WC_PKI=$1 WC_SAN=DNS:unused
    mkdir -p "$WC_PKI/issued"
    : >"$WC_PKI/index.txt"

    new_key older '/C=US/O=Starfield Technologies, Inc./CN=Starfield Services Root Certificate Authority - G2'
    sign root older '' '-3000 days' '+4000 days' -selfsign -keyfile "$WC_PKI/older.key"
    new_key root '/C=US/O=Amazon/CN=Amazon Root CA 1'
    sign root root '' '-900 days' '+7000 days' -selfsign -keyfile "$WC_PKI/root.key"
    cp "$WC_PKI/root.csr" "$WC_PKI/cross.csr"
    sign cross cross older '-900 days' '+3900 days'
    new_key intermediate '/C=US/O=Amazon/CN=Amazon RSA 2048 M02'
    sign intermediate intermediate root '-800 days' '+1400 days'

    new_leaf execute-api '*.execute-api.us-east-1.amazonaws.com' DNS:*.execute-api.us-east-1.amazonaws.com
    new_leaf api.example.com api.example.com DNS:api.example.com
    new_leaf old.example.com old.example.com DNS:old.example.com '-430 days' '-34 days'
    new_leaf new.example.com new.example.com DNS:new.example.com '+10 days' '+406 days'
    new_leaf wildcard '*.example.com' 'DNS:*.example.com,DNS:example.com'
    new_leaf part.example.com part.example.com DNS:part.example.com
    cp "$WC_PKI/part.example.com.pem" "$WC_PKI/part.example.com.chain.pem"
    new_leaf forbidden.example.com forbidden.example.com DNS:forbidden.example.com
    new_leaf dns.example.com dns.example.com DNS:dns.example.com
    new_leaf cloudfront '*.cloudfront.net' 'DNS:cloudfront.net,DNS:*.cloudfront.net'
    new_leaf cdn.example.com cdn.example.com DNS:cdn.example.com
    new_leaf www.example.net www.example.net DNS:www.example.net
    new_leaf wildcard.example.org '*.example.org' 'DNS:*.example.org'
    new_leaf partial.example.net partial.example.net 'DNS:w*.example.net'
    new_leaf ulabel.example.net ulabel.example.net 'DNS:bücher.example.net'
    new_leaf associated.example.com associated.example.com DNS:associated.example.com
    new_leaf alabel.example.net alabel.example.net DNS:xn--mnchen-3ya.example.net
    new_leaf address.example.net address.example.net IP:198.51.100.51
    leaf_profile=leaf_without_san new_leaf cn.example.net cn.example.net DNS:unused
}

# new_leaf NAME CN SAN [FROM TO]
new_leaf() {
    local name=$1 cn=$2
    WC_SAN=$3
    new_key "$name" "/CN=$cn"
    sign "${leaf_profile:-leaf}" "$name" intermediate "${4:--40 days}" "${5:-+356 days}"
    cat "$WC_PKI/$name.pem" "$WC_PKI/intermediate.pem" "$WC_PKI/cross.pem" >"$WC_PKI/$name.chain.pem"
}

new_key() {
    openssl req -new -newkey ${key_options:-rsa:2048} -nodes -subj "$2" \
        -keyout "$WC_PKI/$1.key" -out "$WC_PKI/$1.csr" 2>/dev/null
}

# sign PROFILE NAME ISSUER FROM TO [OPTION...]: days begin at 00:00:00 and end at 23:59:59 UTC
sign() {
    local profile=$1 name=$2 issuer=$3 from=$4 to=$5
    shift 5
    [ -z "$issuer" ] || set -- -cert "$WC_PKI/$issuer.pem" -keyfile "$WC_PKI/$issuer.key"
    openssl ca -batch -notext -config "$conf/ca.cnf" -extensions "$profile" "$@" \
        -startdate "$(date -u -d "$from" +%Y%m%d000000Z)" \
        -enddate "$(date -u -d "$to" +%Y%m%d235959Z)" \
        -in "$WC_PKI/$name.csr" -out "$WC_PKI/$name.pem" 2>"$WC_PKI/$name.log" \
        || { cat "$WC_PKI/$name.log" >&2; return 1; }
}
