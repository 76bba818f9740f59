/**
 * A client in Python with nothing but its standard library, as management programs are: asynchronous, with ids of its own, lines
 * ended by CR LF, `oob` enabled where it is offered. It migrates, prints the statuses that it saw, and leaves every byte that it
 * sent and received in two files.
 */
export const pythonClient = `
import asyncio, json, sys

monitor, target, sent_file, received_file = sys.argv[1:5]

class Client:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.sent, self.received = bytearray(), bytearray()
        self.waiting, self.count = {}, 0
        self.events = asyncio.Queue()

    async def message(self):
        line = await self.reader.readline()
        self.received += line
        return json.loads(line) if line else None

    def send(self, message):
        data = json.dumps(message, separators=(",", ":")).encode() + b"\\r\\n"
        self.sent += data
        self.writer.write(data)

    def issue(self, name, arguments=None):
        ident = "__client#%05d" % self.count
        self.count += 1
        message = {"execute": name, "id": ident}
        if arguments is not None:
            message["arguments"] = arguments
        self.waiting[ident] = asyncio.get_running_loop().create_future()
        self.send(message)
        return self.waiting[ident]

    async def listen(self):
        while True:
            message = await self.message()
            if message is None:
                return
            if "event" in message:
                await self.events.put(message)
            else:
                self.waiting.pop(message["id"]).set_result(message)

async def main():
    client = Client(*await asyncio.open_unix_connection(monitor))
    greeting = await client.message()
    offered = greeting["QMP"]["capabilities"]
    client.send({"execute": "qmp_capabilities", "arguments": {"enable": [one for one in offered if one == "oob"]}})
    reply = await client.message()
    assert "return" in reply, reply
    listener = asyncio.create_task(client.listen())
    on = [{"capability": "events", "state": True}, {"capability": "return-path", "state": True}]
    replies = await asyncio.gather(
        client.issue("query-version"),
        client.issue("migrate-set-capabilities", {"capabilities": on}),
        client.issue("query-migrate-capabilities"),
        client.issue("nothing-of-this-name"),
        client.issue("migrate-set-parameters", {"downtime-limit": 500}),
    )
    assert ["return" in one for one in replies] == [True, True, True, False, True], replies
    assert "return" in await client.issue("migrate", {"uri": target})
    seen = []
    while not seen or seen[-1] not in ("completed", "failed"):
        query = client.issue("query-migrate")
        event = await client.events.get()
        await query
        if event["event"] == "MIGRATION":
            seen.append(event["data"]["status"])
    while (await client.issue("query-status"))["return"]["status"] != "postmigrate":
        pass
    await client.issue("query-migrate")
    client.writer.close()
    listener.cancel()
    open(sent_file, "wb").write(client.sent)
    open(received_file, "wb").write(client.received)
    print(" ".join(seen))

asyncio.run(asyncio.wait_for(main(), 15))
`;
