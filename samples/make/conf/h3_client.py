# A client that speaks HTTP/3 at once, as one that knows the server's alt-svc; it checks the certificate.
# Arguments: the name, then the file for the secrets (SSLKEYLOGFILE) or -.
import asyncio
import contextlib
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated

name, secrets = sys.argv[1:]


class Client(QuicConnectionProtocol):
    http = None
    done = None

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            print("closed:", event.reason_phrase)
        for it in self.http.handle_event(event) if self.http else []:
            if isinstance(it, HeadersReceived):
                print(*(f"{key.decode()}: {value.decode()}" for key, value in it.headers), sep="\n")
            if isinstance(it, DataReceived) and it.stream_ended:
                self.done.set_result(True)


async def main():
    with contextlib.ExitStack() as stack:
        log = None if secrets == "-" else stack.enter_context(open(secrets, "w"))
        configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, secrets_log_file=log)
        configuration.load_verify_locations("/etc/ssl/certs/ca-certificates.crt")
        async with connect(name, 443, configuration=configuration, create_protocol=Client) as client:
            client.http = H3Connection(client._quic)
            client.done = asyncio.get_running_loop().create_future()
            stream = client._quic.get_next_available_stream_id()
            client.http.send_headers(stream, [
                (b":method", b"GET"), (b":scheme", b"https"), (b":authority", name.encode()), (b":path", b"/v1/orders"),
                (b"authorization", b"Bearer not-a-secret"),
            ], end_stream=True)
            client.transmit()
            await asyncio.wait_for(client.done, 5)


asyncio.run(main())
