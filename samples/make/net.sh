# Namespaces, joined by a router so that each part has a network of its own:
#
#   wc-client 192.0.2.10, 2001:db8:1::10            wc-resolver 203.0.113.53, 2001:db8:53::53
#                     \                              /
#                      wc-net (router) ----------- wc-auth 203.0.113.130
#                             \
#                              wc-front 198.51.100.7 and others, 2001:db8:2::7
#                             wc-routes 198.51.100.193/26, 2001:db8:3::/64, see routes.sh

namespaces=(wc-net wc-client wc-resolver wc-auth wc-front wc-routes)

make_net() {
    local ns
    for ns in "${namespaces[@]}"; do
        ip netns add "$ns"
        ip -n "$ns" link set lo up
        quiet_v6 "$ns" 1
    done
    ip netns exec wc-net sysctl -qw net.ipv4.ip_forward=1

    link wc-client   eth0 c0 192.0.2.1/25     192.0.2.10/25
    link wc-client   eth1 c1 192.0.2.129/25   192.0.2.200/25
    link wc-resolver eth0 r0 203.0.113.1/25   203.0.113.53/25
    link wc-auth     eth0 a0 203.0.113.129/25 203.0.113.130/25
    link wc-front    eth0 f0 198.51.100.1/24  198.51.100.7/24
    local address
    for address in 198.51.100.8 198.51.100.20 198.51.100.21 198.51.100.30 198.51.100.31 \
        198.51.100.40 198.51.100.50 198.51.100.51 198.51.100.60; do
        ip -n wc-front address add "$address/24" dev eth0
    done
    # the addresses of a VPC endpoint, and of the resolver of that VPC
    ip -n wc-front address add 10.0.1.25/32 dev eth0
    ip -n wc-net route add 10.0.1.25 via 198.51.100.7
    ip -n wc-resolver address add 203.0.113.54/25 dev eth0
    make_v6
}

# link NS DEVICE ROUTER_DEVICE ROUTER_ADDRESS ADDRESS: a veth pair between NS and the router
link() {
    local ns=$1 dev=$2 router_dev=$3 router=$4 address=$5 end
    ip -n wc-net link add "$router_dev" type veth peer name "$dev" netns "$ns"
    ip -n wc-net address add "$router" dev "$router_dev"
    ip -n "$ns" address add "$address" dev "$dev"
    for end in "wc-net $router_dev" "$ns $dev"; do
        set -- $end
        ip -n "$1" link set "$2" addrgenmode none up
        # so that a capture shows the segments and checksums of the wire
        ip netns exec "$1" ethtool -K "$2" tso off gso off gro off tx off >/dev/null 2>&1
    done
    ip -n "$ns" route replace default via "${router%/*}" dev "$dev" metric "$([ "$dev" = eth0 ] && echo 10 || echo 20)"
}

# IPv6 is on in the servers and off in the client, except where a case asks for it.
make_v6() {
    local ns dev
    for ns in wc-net wc-resolver wc-front; do quiet_v6 "$ns" 0; done
    ip netns exec wc-net sysctl -qw net.ipv6.conf.all.forwarding=1
    # a router asks for its neighbours from a link-local address
    for dev in c0 r0 f0; do ip -n wc-net address add fe80::1/64 dev "$dev" nodad; done
    ip -n wc-net address add 2001:db8:1::1/64 dev c0 nodad
    ip -n wc-net address add 2001:db8:53::1/64 dev r0 nodad
    ip -n wc-net address add 2001:db8:2::1/64 dev f0 nodad
    ip -n wc-resolver address add 2001:db8:53::53/64 dev eth0 nodad
    ip -n wc-resolver route add default via 2001:db8:53::1
    ip -n wc-front address add 2001:db8:2::7/64 dev eth0 nodad
    ip -n wc-front route add default via 2001:db8:2::1
}

client_v6() {
    quiet_v6 wc-client 0
    ip -n wc-client address replace 2001:db8:1::10/64 dev eth0 nodad
    ip -n wc-client route replace default via 2001:db8:1::1
}

quiet_v6() {
    ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6="$2" net.ipv6.conf.default.disable_ipv6="$2"
}
