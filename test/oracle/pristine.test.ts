/** What a trial leaves behind, and what of it can be put back: asked of the reference. */
import { join } from 'node:path';
import { expect } from 'chai';
import { Peer } from '../../oracle/peer/peer.js';
import { leftBehind, restore, type Traces } from '../../oracle/pristine.js';
import { isReply } from '../../protocol/message.js';
import { Transcript } from '../../protocol/transcript.js';
import { InProcessTarget } from '../../targets/in-process/target.js';
import { readSettings, type Settings } from '../../targets/settings.js';
import type { Instance, StartOptions } from '../../targets/target.js';
import { conversation } from '../protocol/fake-monitor.js';
import { listen } from '../protocol/listening.js';
import { received } from './received.js';

/** Of commands that succeed, but for those with the id `refused`. */
const leftBy = (...commands: readonly object[]): Traces => {
  const transcript = new Transcript();
  const replies = commands.map((command, index) => {
    const { id = index } = command as { id?: string };
    transcript.add('source', 'sent', `${JSON.stringify({ ...command, id })}\n`);
    const answer = id === 'refused' ? { error: { class: 'GenericError', desc: '' } } : { return: {} };
    return received(JSON.stringify({ ...answer, id }));
  });
  return leftBehind(transcript, 'source', replies).traces;
};

describe('the traces of a trial', () => {
  it('are none after queries, and restorable after settings', () => {
    expect(leftBy({ execute: 'qmp_capabilities' }, { execute: 'query-migrate' })).to.equal('none');
    expect(leftBy({ execute: 'query-migrate' }, { execute: 'stop' })).to.equal('restorable');
  });

  it('are migrations where these are all that cannot be put back', () => {
    expect(leftBy({ execute: 'migrate', arguments: { uri: 'unix:x' } }, { execute: 'migrate_cancel' })).to.equal(
      'migrations',
    );
  });

  it('are anything after other commands, and after a migration that took from the guest what it had', () => {
    expect(leftBy({ execute: 'getfd', arguments: { fdname: 'x' } })).to.equal('any');
    const capabilities = [{ capability: 'release-ram', state: true }];
    const release = { execute: 'migrate-set-capabilities', arguments: { capabilities } };
    expect(leftBy(release, { execute: 'migrate', arguments: { uri: 'unix:x' } })).to.equal('any');
    expect(leftBy(release)).to.equal('restorable');
  });

  it('tell of a postcopy among the migrations', () => {
    const migrate = { execute: 'migrate', arguments: { uri: 'unix:x' } };
    expect(leftBy(migrate, { execute: 'migrate-start-postcopy' })).to.equal('postcopy');
    expect(leftBy({ execute: 'migrate-start-postcopy' }, migrate)).to.equal('postcopy');
    expect(leftBy(migrate, { execute: 'migrate-pause' })).to.equal('postcopy');
    expect(leftBy({ execute: 'migrate-pause' })).to.equal('any');
  });

  it('tell of a return path in the same way', () => {
    const capabilities = [{ capability: 'return-path', state: true }];
    const opened = { execute: 'migrate-set-capabilities', arguments: { capabilities } };
    expect(leftBy(opened, { execute: 'migrate', arguments: { uri: 'unix:x' } })).to.equal('postcopy');
    expect(leftBy(opened)).to.equal('restorable');
  });

  it('are not those of what was refused', () => {
    const refused = { execute: 'migrate-pause', id: 'refused' };
    expect(leftBy(refused)).to.equal('restorable');
    expect(leftBy({ execute: 'migrate', arguments: { uri: 'unix:x' } }, refused)).to.equal('migrations');
    expect(leftBy({ execute: 'migrate', arguments: { uri: 'x' }, id: 'refused' })).to.equal('restorable');
    // In a release it decides whether multifd can be switched on.
    expect(leftBy({ ...refused, execute: 'migrate-incoming' })).to.equal('any');
    // An id that a success bears too tells of neither.
    expect(leftBy({ execute: 'getfd', id: 'refused' }, { execute: 'getfd' })).to.equal('any');
  });

  it('do not include those of another endpoint', () => {
    const transcript = new Transcript();
    transcript.add('destination', 'sent', '{"execute":"stop"}');
    expect(leftBehind(transcript, 'source', []).traces).to.equal('none');
  });
});

describe('what a trial may have changed', () => {
  /** Of commands that are sent as they are; those with the id `refused` are. */
  const touched = (...lines: readonly (object | string)[]) => {
    const transcript = new Transcript();
    for (const line of lines) {
      transcript.add('source', 'sent', `${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
    }
    const refused = received('{"error":{"class":"GenericError","desc":""},"id":"refused"}');
    return leftBehind(transcript, 'source', [refused]).touched;
  };
  const parameters = { execute: 'migrate-set-parameters', arguments: { 'max-bandwidth': 1 } };

  it('is what its commands are about, with the names of what was set', () => {
    const capabilities = [{ capability: 'events', state: true }];
    const got = touched({ execute: 'migrate-set-capabilities', arguments: { capabilities } }, { execute: 'stop' });
    expect([...(got?.pieces ?? [])]).to.deep.equal(['capabilities', 'run state']);
    expect([...(got?.capabilities ?? [])]).to.deep.equal(['events']);
    expect([...(touched(parameters)?.parameters ?? [])]).to.deep.equal(['max-bandwidth']);
    expect([...(touched({ execute: 'migrate', arguments: { uri: 'unix:x' } })?.pieces ?? [])]).to.include('outcome');
  });

  it('may also be what was refused, which is then asked for and not put back', () => {
    const got = touched({ ...parameters, id: 'refused' });
    expect([...(got?.pieces ?? [])]).to.deep.equal(['parameters']);
    expect(got?.parameters.size).to.equal(0);
    expect([...(got?.doubtful ?? [])]).to.deep.equal(['parameters']);
  });

  it('need not be asked for where the names that were set are all that it can be', () => {
    expect([...(touched(parameters, { execute: 'query-migrate' })?.doubtful ?? [])]).to.deep.equal([]);
    expect([...(touched(parameters, { ...parameters, id: 'refused' })?.doubtful ?? [])]).to.deep.equal(['parameters']);
    const odd = { execute: 'migrate-set-capabilities', arguments: { capabilities: [1] } };
    expect([...(touched(odd)?.doubtful ?? [])]).to.deep.equal(['capabilities']);
    expect([...(touched({ execute: 'migrate_set_speed' })?.doubtful ?? [])]).to.deep.equal(['parameters']);
  });

  it('is not known after a command of another kind that was taken, or a line that is not one', () => {
    expect(touched({ execute: 'client_migrate_info' })).to.equal(undefined);
    const got = touched({ execute: 'client_migrate_info', id: 'refused' });
    expect([...(got?.pieces ?? [])]).to.deep.equal(['run state', 'outcome']);
    expect(touched(`${JSON.stringify(parameters)}${JSON.stringify(parameters)}`)).to.equal(undefined);
    expect(touched('{"execute":', parameters)).to.equal(undefined);
  });
});

describe('an instance that served a trial', () => {
  const target = new InProcessTarget({ dialect: '7.2' });
  after(() => target.close());

  /** What it is like once it is put back, after this was done to it. */
  const condition = async (
    work: (command: (name: string, args?: unknown) => Promise<void>, instance: Instance) => Promise<void>,
    options: StartOptions = {},
    then: (instance: Instance) => Promise<void> = async () => undefined,
  ) => {
    const instance = await target.start(options);
    const session = await instance.connect();
    await session.negotiate();
    const settings = (await readSettings(session)) as Settings;
    await work(async (name, args) => {
      const reply = await session.command(name, args);
      expect(reply.kind, reply.text).to.equal('success');
    }, instance);
    session.close();
    const restored = await restore(instance, settings);
    await then(instance);
    return restored;
  };

  it('is as new with its settings and its guest as they were', async () => {
    const got = await condition(async (command) => {
      await command('migrate-set-parameters', { 'max-bandwidth': 4096, 'cpu-throttle-initial': 50 });
      await command('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] });
      await command('stop');
    });
    expect(got).to.equal('new');
  });

  it('is put back over a session that was left open, and stays so', async () => {
    const instance = await target.start();
    const session = await instance.connect();
    await session.negotiate();
    const settings = (await readSettings(session)) as Settings;
    await session.command('stop');
    expect(await restore(instance, settings, { session, still: true })).to.equal('new');
    expect(session.ended).to.equal(false);
    session.close();
  });

  it('is asked for no more than can be different from what was taken back', async () => {
    const believed = new Set<string>();
    const names = async (...commands: readonly (readonly [string, unknown])[]) => {
      const instance = await target.start();
      const transcript = new Transcript();
      instance.record(transcript, 'source');
      const session = await instance.connect();
      await session.negotiate();
      const settings = (await readSettings(session)) as Settings;
      const from = transcript.entries.length;
      for (const [name, args] of commands) await session.command(name, args);
      const { touched } = leftBehind(transcript, 'source', session.since(0).filter(isReply));
      const told = new Transcript();
      session.transcript = told;
      const got = await restore(instance, settings, { session, still: true, touched, believed });
      session.close();
      expect(from).to.be.greaterThan(0);
      return [got, ...told.entries.flatMap(({ kind, text }) => (kind === 'sent' ? [JSON.parse(text).execute] : []))];
    };
    const set = ['migrate-set-parameters', { 'max-bandwidth': 4096 }] as const;
    // What is said to have been taken back is looked at once.
    expect(await names(set)).to.deep.equal(['new', 'migrate-set-parameters', 'query-migrate-parameters']);
    expect([...believed]).to.deep.equal(['max-bandwidth']);
    expect(await names(set)).to.deep.equal(['new', 'migrate-set-parameters']);
    const bad = ['migrate-set-parameters', { 'max-bandwidth': 'x' }] as const;
    expect(await names(set, bad)).to.deep.equal(['new', 'migrate-set-parameters', 'query-migrate-parameters']);
    // Nothing is known of it to put back.
    const twice = ['migrate-set-parameters', { 'max-bandwidth': 4096, 'tls-hostname': 'x' }] as const;
    expect((await names(twice)).slice(0, 2)).to.deep.equal(['new', 'migrate-set-parameters']);
  });

  it('is not given again where a migration was begun unseen and shows (still)', async () => {
    const instance = await target.start();
    const session = await instance.connect();
    await session.negotiate();
    const settings = (await readSettings(session)) as Settings;
    await session.command('migrate-set-capabilities', {
      capabilities: [{ capability: 'pause-before-switchover', state: true }],
    });
    const peer = await Peer.open(`${instance.scratch}/held.sock`, 'answer');
    await session.command('migrate', { uri: peer.uri });
    expect(await restore(instance, settings, { session, still: true })).to.equal(undefined);
    await peer.close();
  });

  it('is as new where only one value at a time is taken back (MIG-CMD-SPAR-04)', async () => {
    const instance = await target.start();
    const session = await instance.connect();
    await session.negotiate();
    const settings = (await readSettings(session)) as Settings;
    await session.command('migrate-set-parameters', { 'max-bandwidth': 4096, 'cpu-throttle-initial': 50 });
    session.close();
    // One that such a monitor refuses, and with it all that is sent together.
    const odd = { ...settings, parameters: { ...settings.parameters, 'cpu-throttle-increment': 0 } };
    expect(await restore(instance, odd)).to.equal(undefined);
    const again = await instance.connect();
    await again.negotiate();
    const now = (await readSettings(again)) as Settings;
    expect(now.parameters).to.deep.equal(settings.parameters);
    again.close();
  });

  it('lets the guest that it will load run, or not, as when it was started (MIG-SM-I08)', async () => {
    for (const paused of [false, true]) {
      await condition(
        async (command) => command(paused ? 'cont' : 'stop'),
        { incoming: 'defer', paused },
        async (destination) => {
          const source = await target.start({});
          const [from, to] = [await source.connect(), await destination.connect()];
          for (const session of [from, to]) await session.negotiate();
          const uri = `unix:${destination.scratch}/channel.sock`;
          await to.command('migrate-incoming', { uri });
          await from.command('migrate', { uri });
          let status: unknown = 'inmigrate';
          while (status === 'inmigrate') {
            const { value } = await to.command('query-status');
            status = (value as { return: { status: string } }).return.status;
          }
          expect(status).to.equal(paused ? 'paused' : 'running');
          for (const session of [from, to]) session.close();
        },
      );
    }
  });

  it('has migrated, whether it still did when it was left or not', async () => {
    for (const behaviour of ['answer', 'silent'] as const) {
      const got = await condition(async (command, { scratch }) => {
        const peer = await Peer.open(`${scratch}/channel.sock`, behaviour, { transcript: new Transcript() });
        await command('migrate-set-capabilities', { capabilities: [{ capability: 'return-path', state: true }] });
        await command('migrate', { uri: peer.uri });
        await peer.until('end-of-stream', 5000);
        await peer.close();
      });
      expect(got, behaviour).to.equal('migrated');
    }
  });

  it('is waited for until it has let go of the channel of its last migration', async () => {
    let [held, asked] = [3, 0];
    const answers: Readonly<Record<string, () => unknown>> = {
      'query-migrate': () => ({ status: 'cancelled' }),
      'query-status': () => ({ status: 'running', running: true }),
      'query-migrate-parameters': () => ({}),
      'query-migrate-capabilities': () => [],
      'query-yank': () => {
        asked++;
        return held-- > 0 ? [{ type: 'chardev', id: 'x' }, { type: 'migration' }] : [{ type: 'chardev', id: 'x' }];
      },
    };
    const monitor = await listen(
      conversation(({ execute, id }) => JSON.stringify({ return: answers[execute as string]?.() ?? {}, id })),
    );
    const session = await monitor.session();
    await session.negotiate();
    const instance = { options: {} } as Instance;
    const condition = await restore(instance, { parameters: {}, capabilities: [] }, { session });
    expect([condition, asked]).to.deep.equal(['migrated', 4]);
  });

  it('has not run yet once it is reset, where it was started so', async () => {
    expect(await condition(async (command) => command('cont'), { paused: true })).to.equal('new');
    expect(await condition(async (command) => command('system_reset'), { paused: true })).to.equal('new');
    const migrates = (command: (name: string, args?: unknown) => Promise<void>, { scratch }: Instance) =>
      command('migrate', { uri: `unix:${scratch}/absent.sock` });
    expect(await condition(migrates, { paused: true })).to.equal('migrated');
    expect(await condition(migrates)).to.equal('migrated');
    const completes = async (command: (name: string, args?: unknown) => Promise<void>, { scratch }: Instance) => {
      const peer = await Peer.open(join(scratch, 'peer.sock'), 'answer');
      await command('migrate', { uri: peer.uri });
      await peer.until('end-of-stream', 5000);
      await peer.close();
    };
    let state: unknown;
    const look = async (instance: Instance) => {
      const session = await instance.connect();
      await session.negotiate();
      const { value } = await session.command('query-status');
      state = (value as { return: { status: string } }).return.status;
      session.close();
    };
    expect(await condition(completes, { paused: true }, look)).to.equal('migrated');
    expect(state).to.equal('prelaunch');
  });

  it('is of no more use when it has ended, or was started in a state that does not come back', async () => {
    expect(await condition(async (command) => command('quit'))).to.equal(undefined);
    expect(await condition(async () => undefined, { incoming: 'defer' })).to.equal('new');
  });
});
