import { expect } from 'chai';
import { scenarioOf } from '../../../generators/scenario/walk.js';
import { execute } from '../../../oracle/execute.js';
import { judgeTranscript } from '../../../oracle/judge.js';
import { Disconnected } from '../../../protocol/errors.js';
import { isObject } from '../../../protocol/json.js';
import { dialectNames, dialects } from '../../../reference/dialects/dialect.js';
import { loadSchema } from '../../../reference/schema/index.js';
import { learnFacts } from '../../../targets/facts.js';
import { InProcessTarget } from '../../../targets/in-process/target.js';
import { channelUri, type Scenario } from '../../../targets/scenario.js';
import { NotOffered } from '../../../targets/target.js';

const target = new InProcessTarget({ memory: 4 });
after(() => target.close());

const statusOf = (value: unknown): unknown => isObject(value) && isObject(value.return) && value.return.status;

describe('the reference in this process', () => {
  for (const name of dialectNames) {
    it(`says of itself what a process of it says, in ${name}`, async () => {
      const own = new InProcessTarget({ dialect: name, memory: 4 });
      const instance = await own.start();
      const facts = await learnFacts(instance);
      expect(facts.dialect.name).to.equal(name);
      expect(facts.schemaNote).to.equal(undefined);
      expect(facts.settings).not.to.equal(undefined);
      await own.close();
    });
  }

  it('finds what lies in its folder, as a process does that runs there', async () => {
    const to = await target.start({ incoming: 'unix:in.sock' });
    const from = await target.start();
    const session = await from.connect();
    await session.negotiate();
    await session.command('migrate', { uri: `unix:${to.scratch}/in.sock` });
    let seen: unknown;
    do {
      seen = statusOf((await session.command('query-migrate')).value);
    } while (seen !== 'completed' && seen !== 'failed');
    expect(seen).to.equal('completed');
    await Promise.all([from.dispose(), to.dispose()]);
  });

  it('does not offer what it has no arguments for', async () => {
    for (const extra of [
      ['-spice', 'port=1'],
      ['-qmp', 'unix:more.sock,server,nowait'],
    ]) {
      const failure = await target.start({ extra }).then(
        () => undefined,
        (error: Error) => error,
      );
      expect(failure).to.be.instanceOf(NotOffered);
    }
  });

  it('migrates over real sockets between two instances', async () => {
    const transcript = await execute(
      {
        scenario: 1,
        steps: [
          { do: 'start', at: 'source', options: { memory: 4 } },
          { do: 'start', at: 'destination', options: { memory: 4, incoming: 'defer' } },
          { do: 'connect', at: 'source' },
          { do: 'connect', at: 'destination' },
          { do: 'command', at: 'destination', execute: 'migrate-incoming', arguments: { uri: channelUri('pair') } },
          { do: 'command', at: 'source', execute: 'migrate', arguments: { uri: channelUri('pair') } },
          { do: 'status', at: 'source', is: ['completed'] },
          { do: 'status', at: 'destination', is: ['completed'] },
        ],
      },
      { target, dialect: dialects['3.0'] },
    );
    expect(transcript.entries.filter(({ kind }) => kind === 'note')).to.deep.equal([]);
    const judged = judgeTranscript(transcript, { dialect: dialects['3.0'], schema: loadSchema('3.0') });
    expect(judged.kind).to.equal('conforms');
  });

  it('ends on quit with status 0 after its last words, and is then refused', async () => {
    const instance = await target.start();
    const session = await instance.connect();
    await session.negotiate();
    session.post('quit');
    await session.eof();
    const shutdown = session.log.some(({ value }) => isObject(value) && value.event === 'SHUTDOWN');
    expect(shutdown).to.equal(true);
    expect(await instance.exited(1000)).to.deep.equal({ code: 0, signal: null });
    const refused = await instance.connect().then(
      () => 'accepted',
      (error: Error) => error.name,
    );
    expect(refused).to.equal('ConnectError');
    await instance.dispose();
  });

  it('is gone at once when killed, whatever it was doing', async () => {
    const instance = await target.start();
    const session = await instance.connect();
    await session.negotiate();
    instance.kill();
    expect(await instance.exited(1000)).to.deep.equal({ code: null, signal: 'SIGKILL' });
    const error: unknown = await session.command('query-status').catch((one: unknown) => one);
    expect(error).to.be.instanceOf(Disconnected);
    await instance.dispose();
  });

  it('has the faults that are planted', async () => {
    const [honest, lying] = [target, new InProcessTarget({ memory: 4, faults: ['stop-with-data'] })];
    for (const [one, data] of [
      [honest, false],
      [lying, true],
    ] as const) {
      const instance = await one.start();
      const session = await instance.connect();
      await session.negotiate();
      session.post('stop');
      const { value } = await session.event('STOP');
      expect(isObject(value) && 'data' in value).to.equal(data);
      await instance.dispose();
    }
  });

  it('serves several monitors and a second client after the first', async () => {
    const instance = await target.start({ monitors: [{ transport: 'unix' }, { transport: 'tcp' }] });
    const [one, two] = [await instance.connect(), await instance.connect({ monitor: 1 })];
    await Promise.all([one.negotiate(), two.negotiate()]);
    one.post('stop');
    await two.event('STOP');
    one.close();
    const again = await instance.connect();
    await again.negotiate();
    expect(statusOf((await again.command('query-status')).value)).to.equal('paused');
    await instance.dispose();
  });

  it('conforms in generated scenarios', async function () {
    this.timeout(60_000);
    for (const name of dialectNames) {
      const dialect = dialects[name];
      const own = new InProcessTarget({ dialect: name, memory: 4 });
      for (let seed = 1; seed <= 2; seed++) {
        const scenario: Scenario = scenarioOf(seed, dialect);
        const transcript = await execute(scenario, { target: own, dialect });
        const judged = judgeTranscript(transcript, { dialect, schema: loadSchema(name) });
        expect(judged.kind, `${name} seed ${seed}: ${JSON.stringify(judged)}`).to.equal('conforms');
      }
    }
  });
});
