import type { Socket } from 'node:net';
import { expect } from 'chai';
import { DeadlinePassed, Disconnected, NotQmp } from '../../protocol/errors.js';
import type { JsonObject, JsonValue } from '../../protocol/json.js';
import { type Asked, conversation, greetingText, obedient } from './fake-monitor.js';
import { failure, listen, reply, stop } from './listening.js';

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

  it('makes a session orderly, until raw bytes are sent or our direction ends', async () => {
    const monitor = await listen(conversation((one) => reply(one.id)));
    const session = await monitor.session();
    expect(session.orderly).to.equal(false);
    await session.negotiate();
    expect(session.orderly).to.equal(true);
    await session.command('query-version');
    expect(session.orderly).to.equal(true);
    await session.sendBytes('{"execute":');
    expect(session.orderly).to.equal(false);
    const other = await monitor.session();
    await other.negotiate();
    other.halfClose();
    expect(other.orderly).to.equal(false);
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
