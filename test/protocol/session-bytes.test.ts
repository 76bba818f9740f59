import { expect } from 'chai';
import { ConnectError, DeadlinePassed } from '../../protocol/errors.js';
import type { JsonValue } from '../../protocol/json.js';
import { kindOf } from '../../protocol/message.js';
import { Session } from '../../protocol/session.js';
import { Transcript } from '../../protocol/transcript.js';
import { type Asked, conversation, greetingText, obedient } from './fake-monitor.js';
import { failure, listen, reply, stop } from './listening.js';

describe('fence', () => {
  it('collects what was said before its reply, and not the reply', async () => {
    const monitor = await listen(
      conversation(({ execute, id }, socket) => {
        if (execute === 'stop') socket.write(`${stop}\r\n`);
        return reply(id);
      }),
    );
    const session = await monitor.session();
    await session.greeting();
    const mark = session.mark();
    session.post('stop');
    const said = await session.fence(mark);
    expect(said.map(({ kind }) => kind)).to.deep.equal(['event', 'success']);
    expect(await session.fence()).to.deep.equal([]);
  });

  it('works with errors, as in negotiation mode', async () => {
    const refuse = ({ id }: Asked) => JSON.stringify({ error: { class: 'CommandNotFound', desc: '' }, id });
    const session = await (await listen(conversation(refuse))).session();
    await session.greeting();
    expect(await session.fence()).to.deep.equal([]);
  });
});

describe('raw bytes', () => {
  const collect = async (send: (session: Session) => Promise<void>): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    const done = new Promise<void>((resolve) => {
      void listen((socket) => {
        socket.on('data', (chunk) => chunks.push(chunk as Buffer));
        socket.on('end', resolve);
      }).then(async (monitor) => {
        const session = await monitor.session();
        await send(session);
        session.halfClose();
      });
    });
    await done;
    return Buffer.concat(chunks);
  };

  it('arrive as they are, whole or in pieces', async () => {
    const all = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i));
    for (const plan of [undefined, { every: 1 }, { at: [0, 7, 255, 999] }]) {
      expect((await collect((session) => session.sendBytes(all, plan))).equals(all)).to.equal(true);
    }
    expect((await collect((session) => session.sendBytes('\xff\x00é'))).toString('latin1')).to.equal('\xff\x00é');
  });

  it('and commands keep their order', async () => {
    const text = await collect(async (session) => {
      void session.sendBytes('1 ');
      session.send('2');
      void session.sendBytes(' 3');
    });
    expect(text.toString()).to.equal('1 "2"\n 3');
  });

  it('that come are kept: white space, unfinished messages, what is not JSON', async () => {
    const session = await (await listen((socket) => socket.end(`${greetingText}{"id": inf}\n\t{"ev`))).session();
    await session.eof();
    expect(session.log.map(({ kind, before }) => [kind, before])).to.deep.equal([
      ['greeting', ''],
      ['unknown', '\r\n'],
    ]);
    expect(session.log[1]?.value).to.equal(undefined);
    expect(session.log[1]?.text).to.equal('{"id": inf}');
    expect(session.partial.toString()).to.equal('{"ev');
    expect(session.transcript.entries.slice(-2).map(({ kind, text }) => [kind, text])).to.deep.equal([
      ['received', '{"ev'],
      ['eof', ''],
    ]);
  });
});

describe('ending', () => {
  it('of our direction still lets replies come', async () => {
    const monitor = await listen((socket) => {
      socket.write(greetingText);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('end', () => socket.end(`${reply((JSON.parse(text) as Asked).id)}\r\n`));
    });
    const session = await monitor.session();
    const id = session.post('query-name');
    session.halfClose();
    await session.reply(id);
    await session.eof();
    expect(session.ended).to.equal(true);
  });

  it('that does not come passes the deadline', async () => {
    const session = await (await listen(obedient)).session();
    expect((await failure(session.eof(20), DeadlinePassed)).message).to.equal('no end of file within 20 ms');
  });

  it('may be done twice, and what is sent afterwards is lost in silence', async () => {
    const session = await (await listen(obedient)).session();
    session.close();
    session.close();
    session.post('stop');
    await session.sendBytes('x', { every: 1 });
    expect(session.transcript.entries.filter(({ kind }) => kind === 'disconnected')).to.have.length(1);
  });

  it('of a connection that cannot be made is an error at once', async () => {
    await failure(Session.connect({ kind: 'unix', path: '/nonexistent/qmp.sock' }), ConnectError);
  });
});

describe('transcript of a session', () => {
  it('has every message with its number', async () => {
    const monitor = await listen(obedient);
    const home = new Transcript();
    home.add('other', 'note', 'was here before');
    const session = await monitor.session({ transcript: home, endpoint: 'source#2' });
    await session.negotiate();
    await session.command('query-name');
    expect(home.entries.map(({ at, kind }) => `${at} ${kind}`)).to.deep.equal([
      'other note',
      'source#2 connected',
      'source#2 received',
      'source#2 sent',
      'source#2 received',
      'source#2 sent',
      'source#2 received',
    ]);
    for (const { entry, text, time } of session.log) {
      expect(home.entries[entry]).to.deep.include({ kind: 'received', text });
      expect(home.entries[entry]?.time).to.be.closeTo(time, 0.01);
    }
  });
});

describe('rate limit', () => {
  const interval = 15;

  it('keeps the interval and the order, raw bytes and the half close included', async () => {
    const arrivals: number[] = [];
    let text = '';
    const done = new Promise<void>((resolve) => {
      void listen((socket) => {
        socket.on('data', (chunk) => {
          arrivals.push(performance.now());
          text += chunk.toString();
        });
        socket.on('end', resolve);
      }).then(async (monitor) => {
        const session = await monitor.session({ interval });
        session.send(1);
        void session.sendBytes('2\n');
        session.send(3);
        await session.sendBytes('4\n', { every: 1 });
        session.send(5);
        session.halfClose();
      });
    });
    const began = performance.now();
    await done;
    expect(text).to.equal('1\n2\n3\n4\n5\n');
    expect(performance.now() - began).to.be.greaterThan(5 * interval - 5);
  });

  it('is not counted against the deadline', async () => {
    const session = await (await listen(obedient)).session({ interval: 60 });
    await session.greeting();
    // The last one leaves after 420 ms, its reply has 300 from then on.
    const posted = Array.from({ length: 8 }, () => session.post('query-name'));
    await Promise.all(posted.map((id) => session.reply(id, { deadline: 300 })));
  });

  it('does not keep a closed session waiting', async () => {
    const session = await (await listen(obedient)).session({ interval: 60_000 });
    session.send(1);
    const waiting = session.sendBytes('2', { every: 1 });
    session.close();
    await waiting;
  });
});

describe('kinds of messages', () => {
  it('are told by the member that names them', () => {
    const values: [JsonValue, string][] = [
      [{ QMP: {} }, 'greeting'],
      [{ return: 1 }, 'success'],
      [{ error: {} }, 'failure'],
      [{ event: 'X' }, 'event'],
      [{}, 'unknown'],
      [[], 'unknown'],
      [null, 'unknown'],
      ['return', 'unknown'],
    ];
    for (const [value, kind] of values) expect(kindOf(value), JSON.stringify(value)).to.equal(kind);
    expect(kindOf(undefined)).to.equal('unknown');
  });
});
