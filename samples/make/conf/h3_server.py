# The front end over HTTP/3: what nginx.conf does for names that are no custom domain, and for
# forbidden.example.com. Arguments: the folder of the certificates, the certificate, the addresses.
import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated

folder, certificate, *addresses = sys.argv[1:]


class Front(QuicConnectionProtocol):
    http = None

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self._quic)
        for it in self.http.handle_event(event) if self.http else []:
            if isinstance(it, HeadersReceived):
                self.http.send_headers(it.stream_id, [
                    (b":status", b"403"),
                    (b"content-type", b"application/json"),
                    (b"x-amzn-errortype", b"ForbiddenException"),
                    (b"x-amz-apigw-id", b"TgXq1F3ZoAMEbWA="),
                ])
                self.http.send_data(it.stream_id, b'{"message":"Forbidden"}\n', end_stream=True)
                self.transmit()


async def main():
    configuration = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    configuration.load_cert_chain(f"{folder}/{certificate}.chain.pem", f"{folder}/{certificate}.key")
    for address in addresses:
        await serve(address, 443, configuration=configuration, create_protocol=Front)
    await asyncio.Event().wait()


asyncio.run(main())
