# A server and a client that compress certificates (RFC 8879), in TLS 1.3; both are tlslite-ng's.
#   compressed.py serve FOLDER CERTIFICATE ADDRESS
#   compressed.py fetch HOST ALGORITHM SECRETS    (zlib, brotli or zstd; the secrets are appended to a file)
import socket
import sys
import threading

from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
from tlslite import tlsconnection


def settings(algorithms):
    it = HandshakeSettings()
    it.minVersion = it.maxVersion = (3, 4)
    it.certificate_compression_send = it.certificate_compression_receive = algorithms
    return it


def serve(folder, certificate, address):
    chain, key = X509CertChain(), parsePEMKey(open(f"{folder}/{certificate}.key").read(), private=True)
    chain.parsePemList(open(f"{folder}/{certificate}.chain.pem").read())
    listener = socket.create_server((address, 443))

    def answer(peer):
        connection = TLSConnection(peer)
        try:
            both = settings(["zlib", "brotli", "zstd"])
            connection.handshakeServer(certChain=chain, privateKey=key, settings=both, alpn=[b"http/1.1"])
            connection.read(max=4096)
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n")
            connection.close()
        except (OSError, tlsconnection.TLSError):
            peer.close()

    while True:
        peer, _ = listener.accept()
        threading.Thread(target=answer, args=[peer], daemon=True).start()


def fetch(host, algorithm, secrets):
    derived = []
    derive = tlsconnection.derive_secret

    def noted(secret, label, *rest):
        it = derive(secret, label, *rest)
        derived.append((bytes(label), it.hex()))
        return it

    tlsconnection.derive_secret = noted
    connection = TLSConnection(socket.create_connection((host, 443)))
    connection.handshakeClientCert(serverName=host, settings=settings([algorithm]))
    assert connection.server_cert_compression_algo == algorithm, connection.server_cert_compression_algo
    connection.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    connection.read(max=4096)
    random = connection._clientRandom.hex()
    with open(secrets, "a") as log:
        for label, secret in derived:
            if label in LABELS:
                log.write(f"{LABELS[label]} {random} {secret}\n")


LABELS = {
    b"c hs traffic": "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    b"s hs traffic": "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    b"c ap traffic": "CLIENT_TRAFFIC_SECRET_0",
    b"s ap traffic": "SERVER_TRAFFIC_SECRET_0",
}
{"serve": serve, "fetch": fetch}[sys.argv[1]](*sys.argv[2:])
