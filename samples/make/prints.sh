# What programs print of a connection, and what people put it in: mails, recordings.

prints=(stage_url_prints)

stage_url_prints() {
    local at=$samples/stage_url_prints form
    for form in curl_trace curl_trace_refused node python tshark_list s_client_pkcs7 dns_tls recording mail; do
        mkdir -p "$at/$form"
    done
    transcript "$at/curl_trace/ticket.txt" 'dig www.example.com' 'curl -k --trace - https://www.example.com/'
    transcript "$at/curl_trace_refused/ticket.txt" 'dig +short www.example.com' 'curl --trace - https://www.example.com/'
    local connect="require('tls').connect({host:'www.example.com',port:443,servername:'www.example.com',rejectUnauthorized:false}"
    transcript "$at/node/ticket.txt" 'dig www.example.com' \
        "node -e \"const s=$connect,()=>{console.log(s.getPeerCertificate());s.end()})\""
    local wrap="c.wrap_socket(socket.create_connection(('www.example.com',443)),server_hostname='www.example.com')"
    local context="c=ssl.create_default_context(cafile='/etc/ssl/certs/ca-certificates.crt');c.check_hostname=False"
    transcript "$at/python/ticket.txt" 'dig www.example.com' \
        "/usr/bin/python3 -c \"import ssl,socket,pprint;$context;pprint.pprint($wrap.getpeercert())\""
    capture "$work/list.pcap" -i eth0 'ip' -- 'curl -sS https://www.example.com/'
    transcript "$at/tshark_list/ticket.txt" 'tshark -n -r list.pcap' 'curl -v https://www.example.com/'
    local served='openssl s_client -connect www.example.com:443 -servername www.example.com </dev/null 2>/dev/null'
    transcript "$at/s_client_pkcs7/ticket.txt" 'dig +short www.example.com' \
        "$served | openssl x509 >leaf.pem; openssl crl2pkcs7 -nocrl -certfile leaf.pem" 'curl -sS https://www.example.com/'
    transcript "$at/dns_tls/ticket.txt" 'dig +tcp www.example.com' 'dig +short HTTPS www.example.com' \
        'curl -sS https://www.example.com/'
    printf '%s\n' 'dig www.example.com' 'curl -v https://www.example.com/' |
        while read -r form; do echo "echo '\$ $form'; $form"; done >"$work/shown"
    client "asciinema rec -q --overwrite -c 'bash ./shown' shown.cast"
    cp "$work/shown.cast" "$at/recording/ticket.cast"
    transcript "$work/mail.txt" 'dig www.example.com' 'curl -v https://www.example.com/'
    client "/usr/bin/python3 - mail.txt list.pcap" <<'MAIL' >"$at/mail/ticket.eml"
import sys
from email.message import EmailMessage
mail = EmailMessage()
mail["From"], mail["To"], mail["Subject"] = "jo@example.com", "support@example.net", "Wrong certificate"
mail["Date"] = "Tue, 24 Nov 2026 11:30:00 +0000"
mail.set_content("Hello,\n\nsince today our site shows another certificate.\n\n" + open(sys.argv[1]).read(), cte="base64")
mail.add_attachment(open(sys.argv[2], "rb").read(), maintype="application", subtype="vnd.tcpdump.pcap", filename="customer.pcap")
mail.set_boundary("===============boundary")
sys.stdout.write(mail.as_string())
MAIL
}
