# A front end of DNS over QUIC (RFC 9250): hands each question to a resolver over TCP, and its answer back.
# Arguments: the folder of the certificates, the certificate, the address, the resolver.
import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import StreamDataReceived

folder, certificate, address, resolver = sys.argv[1:]


class Front(QuicConnectionProtocol):
    asked = {}

    def quic_event_received(self, event):
        if isinstance(event, StreamDataReceived):
            question = self.asked.get(event.stream_id, b"") + event.data
            self.asked = {**self.asked, event.stream_id: question}
            if event.end_stream:
                asyncio.create_task(self.answer(event.stream_id, question))

    async def answer(self, stream, question):
        reader, writer = await asyncio.open_connection(resolver, 53)
        writer.write(question)
        length = await reader.readexactly(2)
        answer = length + await reader.readexactly(int.from_bytes(length, "big"))
        writer.close()
        self._quic.send_stream_data(stream, answer, end_stream=True)
        self.transmit()


async def main():
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["doq"])
    configuration.load_cert_chain(f"{folder}/{certificate}.chain.pem", f"{folder}/{certificate}.key")
    await serve(address, 853, configuration=configuration, create_protocol=Front)
    await asyncio.Event().wait()


asyncio.run(main())
