/** A session that goes on with the connection of another one. */
import { expect } from 'chai';
import { Session } from '../../protocol/session.js';
import { Transcript } from '../../protocol/transcript.js';
import { type Asked, conversation } from './fake-monitor.js';
import { listen, reply } from './listening.js';

describe('a session after another', () => {
  const begun = async () => {
    const asked: Asked[] = [];
    let connections = 0;
    const monitor = await listen((socket) => {
      connections++;
      conversation((one) => {
        asked.push(one);
        return reply(one.id);
      })(socket);
    });
    const session = await monitor.session();
    return { session, asked, connections: () => connections };
  };

  it('goes on in command mode over the same connection, and tells greeting and negotiation as its own', async () => {
    const { session, asked, connections } = await begun();
    await session.negotiate();
    await session.command('query-version');
    const transcript = new Transcript();
    const next = Session.after(session, { transcript, endpoint: 'source' });
    if (next === undefined) expect.fail('it does not go on');
    expect(session.ended).to.equal(true);
    expect(next.log.map(({ kind }) => kind)).to.deep.equal(['greeting', 'success']);
    expect(next.orderly).to.equal(true);
    expect((await next.command('query-name')).kind).to.equal('success');
    expect(session.log.length).to.equal(3);
    expect(asked.map(({ execute }) => execute)).to.deep.equal(['qmp_capabilities', 'query-version', 'query-name']);
    const told = transcript.entries.map(({ kind, text }) => (kind === 'sent' ? JSON.parse(text).execute : kind));
    expect(told).to.deep.equal(['connected', 'received', 'qmp_capabilities', 'received', 'query-name', 'received']);
    expect(connections()).to.equal(1);
    const third = Session.after(next);
    expect(third?.log.length).to.equal(2);
    third?.close();
  });

  it('hears nothing that was meant for the one before it', async () => {
    const late: (() => void)[] = [];
    const monitor = await listen((socket) =>
      conversation((one) => {
        if (one.execute !== 'stop') return reply(one.id);
        late.push(() => socket.write(`${reply(one.id)}\r\n`));
        return '';
      })(socket),
    );
    const session = await monitor.session();
    await session.negotiate();
    session.post('stop');
    await session.fence();
    const next = Session.after(session);
    for (const answer of late) answer();
    expect(await next?.fence(0)).to.have.length(2);
    next?.close();
  });

  it('goes on after raw bytes once a fence behind them was answered', async () => {
    const { session, asked, connections } = await begun();
    await session.negotiate();
    await session.sendBytes('{"execute":"query-name","id":1}\n');
    expect(session.orderly).to.equal(false);
    await session.fence();
    const next = Session.after(session);
    expect((await next?.command('query-status'))?.kind).to.equal('success');
    expect(asked.map(({ execute }) => execute)).to.deep.equal([
      'qmp_capabilities',
      'query-name',
      'query-version',
      'query-status',
    ]);
    expect(connections()).to.equal(1);
    await next?.exchange('{"execute":"stop","id":2}\n');
    expect(next?.orderly).to.equal(true);
    const fence = next?.fence();
    await next?.sendBytes('{"execute":"cont","id":3}\n');
    await fence;
    expect(next?.orderly).to.equal(false);
    next?.close();
  });

  it('is none, and the connection is closed, after raw bytes or negotiated capabilities, or in negotiation mode', async () => {
    const raw = await begun();
    await raw.session.negotiate();
    await raw.session.sendBytes(' ');
    const capable = await begun();
    await capable.session.negotiate(['oob']);
    await capable.session.exchange('{"execute":"stop","id":1}\n');
    expect(capable.session.orderly).to.equal(false);
    const fresh = await begun();
    await fresh.session.greeting();
    for (const { session } of [raw, capable, fresh]) {
      expect(Session.after(session)).to.equal(undefined);
      expect(session.ended).to.equal(true);
    }
  });
});
