import type { Socket } from 'node:net';
import { expect } from 'chai';
import { ConnectError, DeadlinePassed, Disconnected, NotQmp } from '../../protocol/errors.js';
import type { JsonObject, JsonValue } from '../../protocol/json.js';
import { kindOf } from '../../protocol/message.js';
import { Session } from '../../protocol/session.js';
import { Transcript } from '../../protocol/transcript.js';
import { type Asked, conversation, FakeMonitor, greetingText, obedient } from './fake-monitor.js';

const monitors: FakeMonitor[] = [];
const listen = async (accept: (socket: Socket, number: number) => void): Promise<FakeMonitor> => {
  const monitor = await FakeMonitor.listen(accept);
  monitors.push(monitor);
  return monitor;
};
const reply = (id: unknown) => JSON.stringify({ return: {}, id });
const stop = '{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 2}}';

/** The error of a promise that must fail. */
const failure = <E extends Error>(promise: Promise<unknown>, type: new (...args: never[]) => E): Promise<E> =>
  promise.then(
    (value) => expect.fail(`it succeeded with ${String(value)}`),
    (error: unknown) => {
      expect(error).to.be.instanceOf(type);
      return error as E;
    },
  );

afterEach(() => {
  for (const monitor of monitors.splice(0)) monitor.close();
});

describe('greeting', () => {
  it('is awaited, and negotiation follows', async () => {
    const asked: Asked[] = [];
    const monitor = await listen(
      conversation((one) => {
        asked.push(one);
        return reply(one.id);
      }),
    );
    const session = await monitor.session();
    const answer = await session.negotiate(['oob']);
    expect(answer.kind).to.equal('success');
    expect(asked[0]).to.deep.include({ execute: 'qmp_capabilities', arguments: { enable: ['oob'] } });
    await session.negotiate();
    expect(asked[1]).not.to.have.property('arguments');
  });

  it('of something else is told as what it is', async () => {
    const monitor = await listen((socket) => socket.write('HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n'));
    const error = await failure((await monitor.session()).greeting(), NotQmp);
    expect(error.message).to.match(/is not a QMP monitor: it began with "HTTP\/1\.1 400 Bad Request"/);
  });

  it('of something else that sends no line end is told when it closes', async () => {
    const monitor = await listen((socket) => socket.end('SSH-2.0-OpenSSH'));
    expect((await failure((await monitor.session()).greeting(), NotQmp)).received).to.equal('SSH-2.0-OpenSSH');
  });

  it('that is JSON but no greeting is not QMP', async () => {
    const monitor = await listen((socket) => socket.write('{"return": {}}\r\n'));
    await failure((await monitor.session()).negotiate(), NotQmp);
  });

  it('that never comes passes the deadline', async () => {
    const monitor = await listen(() => undefined);
    const error = await failure((await monitor.session()).greeting(40), DeadlinePassed);
    expect(error.message).to.equal('no greeting within 40 ms');
  });

  it('is missed where the peer closes at once', async () => {
    const monitor = await listen((socket) => socket.end());
    const error = await failure((await monitor.session()).greeting(), NotQmp);
    expect(error.message).to.match(/sent nothing: a QMP monitor greets first/);
  });

  it('may come twice before the first reply', async () => {
    const monitor = await listen((socket) => {
      socket.write(greetingText);
      obedient(socket);
    });
    const session = await monitor.session();
    await session.negotiate();
    expect(session.log.map(({ kind, stale }) => [kind, stale])).to.deep.equal([
      ['greeting', false],
      ['greeting', true],
      ['success', false],
    ]);
    expect(session.since(0)).to.have.length(2);
  });

  it('may come after events of a process that has only just been started, and of no other', async () => {
    const monitor = await listen((socket) => {
      socket.write('{"event": "RESUME"}\r\n');
      socket.write(greetingText);
      obedient(socket);
    });
    const session = await monitor.session({ starting: true });
    await session.negotiate();
    expect(session.since(0).map(({ kind }) => kind)).to.deep.equal(['greeting', 'success']);
    const settled = await monitor.session();
    expect(await settled.greeting().catch((error: unknown) => error)).to.be.instanceOf(NotQmp);
  });

  it('that comes again with another text, or late, is not excused', async () => {
    const other = greetingText.replace('50', '51');
    const twice = await (await listen((socket) => socket.write(greetingText + other))).session();
    await twice.take(0, 2, 'two greetings');
    const late = await (
      await listen(
        conversation(({ id }, socket) => {
          socket.write(`${reply(id)}\r\n`);
          return greetingText.trim();
        }),
      )
    ).session();
    await late.negotiate();
    await late.take(0, 3, 'greeting, reply and greeting');
    expect(late.log.some(({ stale }) => stale)).to.equal(false);
  });
});

describe('commands', () => {
  it('get the reply that carries their id, whatever stands around it', async () => {
    const monitor = await listen(
      conversation(({ id }) => `${reply('other')}\r\n${stop}\r\n${reply(`${String(id)}0`)}\r\n${reply(id)}`),
    );
    const session = await monitor.session();
    const id = session.freshId();
    const answer = await session.command('query-name', undefined, { id });
    expect((answer.value as JsonObject).id).to.equal(id);
    expect(answer.index).to.equal(4);
  });

  it('takes a reply without an id for the awaited one, unless raw bytes were sent', async () => {
    const monitor = await listen((socket) => {
      socket.write(greetingText);
      socket.on('data', () => socket.write('{"return": {}}\r\n'));
    });
    const session = await monitor.session({ deadline: 200 });
    await session.greeting();
    expect((await session.command('query-name')).text).to.equal('{"return": {}}');
    await session.sendBytes('{"execute":"query-name"}\n');
    await failure(session.command('query-name'), DeadlinePassed);
  });

  const ids: JsonValue[] = [null, false, 0, '', [], {}, [1, { a: null }], 18446744073709551615n, -1.5];
  for (const id of ids) {
    it(`may have the id ${typeof id === 'bigint' ? id : JSON.stringify(id)}`, async () => {
      const monitor = await listen((socket) => {
        socket.write(greetingText);
        // Echoed byte by byte, so that the client's own number handling is what is tested.
        socket.on('data', (chunk) => {
          const text = /"id":(.*)\}\n$/.exec(chunk.toString())?.[1];
          socket.write(`{"return": {}, "id": "another"}\r\n{"return": {}, "id": ${text}}\r\n`);
        });
      });
      const session = await monitor.session();
      await session.greeting();
      expect((await session.command('x', {}, { id })).index).to.equal(2);
    });
  }

  it('of a later connection never reuse an id', async () => {
    const monitor = await listen(obedient);
    const first = await monitor.session();
    const second = await monitor.session();
    expect(first.freshId()).not.to.equal(second.freshId());
    expect(first.freshId()).not.to.equal(first.freshId());
  });

  it('may be pipelined, and answered in any order', async () => {
    const waiting: unknown[] = [];
    const monitor = await listen(
      conversation(({ id }) => {
        waiting.unshift(id);
        return waiting.length < 3 ? undefined : waiting.map(reply).join('\r\n');
      }),
    );
    const session = await monitor.session();
    await session.greeting();
    const posted = ['a', 'b', 'c'].map((name) => session.post(name));
    const replies = await Promise.all(posted.map((id) => session.reply(id)));
    expect(replies.map(({ index }) => index)).to.deep.equal([3, 2, 1]);
  });

  it('out of band are sent as exec-oob', async () => {
    const asked: Asked[] = [];
    const monitor = await listen(
      conversation((one) => {
        asked.push(one);
        return reply(one.id);
      }),
    );
    await (await monitor.session()).command('migrate-pause', undefined, { oob: true });
    expect(asked[0]).to.have.property('exec-oob', 'migrate-pause');
    expect(asked[0]).not.to.have.property('execute');
  });

  it('carry integers of 64 bits unharmed', async () => {
    let line = '';
    const monitor = await listen((socket) => {
      socket.write(greetingText);
      socket.on('data', (chunk) => {
        line = chunk.toString();
        socket.write('{"return": 18446744073709551615, "id": 1}\r\n');
      });
    });
    const session = await monitor.session();
    const answer = await session.command('x', { value: 9223372036854775807n }, { id: 1 });
    expect(line).to.contain('"value":9223372036854775807');
    expect((answer.value as JsonObject).return).to.equal(18446744073709551615n);
  });

  it('without an answer pass the deadline, which names them and is noted', async () => {
    const session = await (await listen(conversation(() => undefined))).session();
    await session.greeting();
    const error = await failure(session.command('stop', undefined, { deadline: 30, id: 7 }), DeadlinePassed);
    expect(error.message).to.equal('no reply to stop with id 7 within 30 ms');
    expect(session.transcript.entries.at(-1)).to.deep.include({ kind: 'note', text: error.message });
  });

  it('whose connection ends fail at once', async () => {
    const monitor = await listen(conversation((_, socket) => void socket.destroy()));
    const session = await monitor.session();
    const error = await failure(session.command('quit'), Disconnected);
    expect(error.message).to.match(/^the monitor closed the connection; reply to quit with id .* was awaited$/);
    await failure(session.command('query-name'), Disconnected);
  });

  it('whose session is closed under them fail at once', async () => {
    const session = await (await listen(conversation(() => undefined))).session();
    const waiting = failure(session.command('stop'), Disconnected);
    session.close();
    await waiting;
  });
});

describe('stale replies', () => {
  it('to a connection that is closed are marked and passed over', async () => {
    const ids: unknown[] = [];
    const monitor = await listen((socket, number) => {
      if (number === 1) conversation(({ id }) => void ids.push(id))(socket);
      else {
        obedient(socket);
        socket.write(`${reply(ids[0])}\r\n`);
      }
    });
    const first = await monitor.session();
    const old = first.post('query-name');
    await failure(first.reply(old, { deadline: 30 }), DeadlinePassed);
    first.close();
    const second = await monitor.session();
    await second.negotiate();
    expect(second.log[1]).to.include({ stale: true, kind: 'success' });
    expect(second.transcript.entries.filter(({ stale }) => stale)).to.have.length(1);
    expect(second.since(1)).to.have.length(1);
    expect(second.replies()).to.have.length(1);
  });

  it('are not replies that go to the wrong one of two open connections', async () => {
    const sockets: Socket[] = [];
    const monitor = await listen((socket) => {
      sockets.push(socket);
      conversation(({ id }) => void sockets[1]?.write(`${reply(id)}\r\n`))(socket);
    });
    const [first, second] = [await monitor.session(), await monitor.session()];
    await second.greeting();
    first.post('query-name');
    const [, stray] = await second.take(0, 2, 'a reply that is not ours');
    expect(stray?.stale).to.equal(false);
  });
});

describe('events', () => {
  const event = (name: string, data: unknown) =>
    `${JSON.stringify({ event: name, data, timestamp: { seconds: 1, microseconds: 2 } })}\r\n`;

  it('are found by name, data and position', async () => {
    const statuses = ['setup', 'active', 'setup'].map((status) => event('MIGRATION', { status })).join('');
    const session = await (
      await listen((socket) => socket.write(greetingText + event('STOP', undefined) + statuses))
    ).session();
    const active = await session.event('MIGRATION', { test: ({ status }) => status === 'active' });
    expect(active.index).to.equal(3);
    expect((await session.event('MIGRATION')).index).to.equal(2);
    expect((await session.event('MIGRATION', { since: 3, test: ({ status }) => status === 'setup' })).index).to.equal(
      4,
    );
    const error = await failure(session.event('RESUME', { deadline: 20 }), DeadlinePassed);
    expect(error.message).to.equal('no event RESUME within 20 ms');
  });

  it('that come later wake who waits', async () => {
    const monitor = await listen(
      conversation(({ id }, socket) => {
        setTimeout(() => socket.write(event('STOP', undefined)), 20);
        return reply(id);
      }),
    );
    const session = await monitor.session();
    const mark = session.mark();
    await session.command('stop');
    expect((await session.event('STOP', { since: mark })).kind).to.equal('event');
  });

  it('that are not known are left out of what came, when it is told which are', async () => {
    const text = greetingText + event('QMPSPEC_NEWS', undefined) + event('STOP', undefined);
    const session = await (await listen((socket) => socket.write(text))).session();
    await session.take(0, 3, 'greeting and two events');
    session.knownEvent = (name) => name === 'STOP';
    expect(session.since(1).map(({ index }) => index)).to.deep.equal([2]);
    expect(session.log).to.have.length(3);
  });

  it('that a test cannot cope with are the fault of that test only', async () => {
    const monitor = await listen(
      conversation(({ id }, socket) => {
        socket.write(event('X', 5));
        return reply(id);
      }),
    );
    const session = await monitor.session();
    await session.greeting();
    const faulty = failure(
      session.event('X', {
        test: () => {
          throw new RangeError('oops');
        },
      }),
      RangeError,
    );
    await session.command('query-name');
    await faulty;
  });
});

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
