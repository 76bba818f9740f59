/** Sessions that an instance holds open from one trial to the next. */
import { join } from 'node:path';
import { expect } from 'chai';
import { Session } from '../../protocol/session.js';
import { Transcript } from '../../protocol/transcript.js';
import { inOrder, monitor } from './tiny-monitor.js';

describe('a session that is kept', () => {
  const target = monitor(inOrder);
  after(() => target.close());

  const kept = async () => {
    const instance = await target.start();
    instance.record(new Transcript(), 'source');
    const session = await instance.connect();
    await session.negotiate();
    instance.keep?.(session);
    return { instance, session };
  };

  it('is gone on with once, in the transcript of who resumes it', async () => {
    const { instance, session } = await kept();
    const transcript = new Transcript();
    instance.record(transcript, 'destination');
    const next = instance.resume?.();
    expect(next?.endpoint).to.equal('destination');
    expect((await next?.command('query-name'))?.kind).to.equal('success');
    expect(transcript.entries.filter(({ kind }) => kind === 'connected')).to.have.length(1);
    expect(session.transcript.entries.filter(({ kind }) => kind === 'sent')).to.have.length(0);
    expect(instance.resume?.()).to.equal(undefined);
    await instance.dispose();
    expect(next?.ended).to.equal(true);
  });

  it('is there from the start, for who comes first', async () => {
    const instance = await target.start();
    const transcript = new Transcript();
    instance.record(transcript, 'source');
    const session = instance.resume?.();
    expect((await session?.command('query-name'))?.kind).to.equal('success');
    const told = transcript.entries.flatMap(({ kind, text }) => (kind === 'sent' ? [JSON.parse(text).execute] : []));
    expect(told).to.deep.equal(['qmp_capabilities', 'query-name']);
    await instance.dispose();
    expect(session?.ended).to.equal(true);
    const other = await target.start();
    const own = await other.connect();
    expect((await own.negotiate()).kind).to.equal('success');
    expect(other.resume?.()).to.equal(undefined);
    await other.dispose();
  });

  it('is closed by the next connection, and is none after the end of the process', async () => {
    const { instance, session } = await kept();
    const next = await instance.connect();
    expect(session.ended).to.equal(true);
    expect(instance.resume?.()).to.equal(undefined);
    await next.negotiate();
    instance.keep?.(next);
    instance.kill();
    await instance.exited(2000);
    expect(instance.resume?.()).to.equal(undefined);
    await instance.dispose();
  });

  it('makes room for who connects by himself, once it is let go', async () => {
    const { instance, session } = await kept();
    instance.letGo?.();
    expect(session.ended).to.equal(true);
    expect(instance.resume?.()).to.equal(undefined);
    const own = await Session.connect({ kind: 'unix', path: join(instance.scratch, 'qmp1.sock') });
    expect((await own.negotiate()).kind).to.equal('success');
    own.close();
    await instance.dispose();
  });
});
