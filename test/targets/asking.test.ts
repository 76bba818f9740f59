/** Probe and facts, against monitors that are known byte by byte. */
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { formatAddress } from '../../protocol/address.js';
import { knowsStream, learnFacts } from '../../targets/facts.js';
import { probe, slowRoundTrip } from '../../targets/probe.js';
import { resolveTarget } from '../../targets/resolve.js';
import type { Instance, Target } from '../../targets/target.js';
import { type Asked, conversation, FakeMonitor } from '../protocol/fake-monitor.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const attach = async (accept: (socket: Socket, number: number) => void): Promise<Target> => {
  const monitor = await FakeMonitor.listen(accept);
  cleanups.push(() => monitor.close());
  const address = formatAddress(monitor.address);
  return resolveTarget('fake', { targets: { fake: { target: address, deadline: 100 } } }).target;
};
const instanceOf = async (accept: (socket: Socket, number: number) => void): Promise<Instance> => {
  const instance = await (await attach(accept)).start();
  cleanups.push(() => instance.dispose());
  return instance;
};

const ok = (asked: Asked, value: unknown = {}) => JSON.stringify({ return: value, id: asked.id });
const notFound = (asked: Asked) => JSON.stringify({ error: { class: 'CommandNotFound', desc: 'x' }, id: asked.id });

describe('control probe', () => {
  const healthOf = async (answer: (asked: Asked, socket: Socket) => string | undefined) =>
    probe(await instanceOf(conversation(answer)), 100);

  it('finds a monitor that answers healthy, whatever it says to an unknown command', async () => {
    for (const unknown of [notFound, ok]) {
      const result = await healthOf((asked) => (asked.execute?.startsWith('qmpspec') ? unknown(asked) : ok(asked)));
      expect(result.health).to.equal('healthy');
      expect(result.roundTrip).to.be.within(0, slowRoundTrip);
    }
  });

  it('finds a monitor slow that takes its time', async () => {
    const instance = await instanceOf(
      conversation((asked, socket) => {
        if (asked.execute !== 'query-version') return ok(asked);
        setTimeout(() => socket.write(`${ok(asked)}\r\n`), slowRoundTrip + 50);
        return undefined;
      }),
    );
    const result = await probe(instance, slowRoundTrip * 3);
    expect(result.health).to.equal('slow');
    expect(result.detail).to.match(/^query-version took 1\d\d\d ms$/);
  });

  it('finds a monitor wedged that does not answer, refuses, garbles or leaves', async () => {
    const cases: [(asked: Asked, socket: Socket) => string | undefined, RegExp][] = [
      [() => undefined, /no reply to qmp_capabilities/],
      [(asked) => (asked.execute === 'qmp_capabilities' ? ok(asked) : undefined), /no reply to query-version/],
      [(asked) => (asked.execute === 'query-version' ? notFound(asked) : ok(asked)), /query-version was answered with/],
      [(_, socket) => void socket.destroy(), /closed the connection/],
    ];
    for (const [answer, detail] of cases) {
      const result = await healthOf(answer);
      expect([result.health, result.detail]).to.satisfy(
        ([health, text]: string[]) => health === 'wedged' && detail.test(text as string),
      );
    }
  });

  it('finds a monitor dead that accepts no connection, or whose process has ended', async () => {
    const monitor = await FakeMonitor.listen(conversation((asked) => ok(asked)));
    const instance = await resolveTarget(formatAddress(monitor.address)).target.start();
    monitor.close();
    const result = await probe(instance, 100);
    await instance.dispose();
    expect(result).to.deep.include({ health: 'dead' });
    expect(result.detail).to.match(/there is no such socket/);
    const ended = { ...instance, exit: { code: null, signal: 'SIGSEGV' } } as unknown as Instance;
    expect(await probe(ended)).to.deep.equal({ health: 'dead', detail: 'killed by SIGSEGV' });
  });
});

describe('attaching', () => {
  const refusal = async (accept: (socket: Socket, number: number) => void): Promise<string> => {
    const outcome = await (await attach(accept)).start().then(
      () => 'it succeeded',
      (error: Error) => `${error.name}: ${error.message}`,
    );
    return outcome;
  };

  it('tells what is wrong with what listens there', async () => {
    expect(await refusal(() => undefined)).to.match(
      /^TargetError: unix:.* sent no greeting within 100 ms: it is not a QMP monitor, or another client/,
    );
    expect(await refusal((socket) => socket.end())).to.match(/^TargetError: .*sent nothing/);
    expect(await refusal((socket) => socket.write('220 smtp\r\n'))).to.match(/it began with "220 smtp"/);
    expect(await refusal((socket) => socket.write(Buffer.from([0xff, 0xfb, 1, 0xff, 0xfb, 3])))).to.match(
      /speaks telnet: start the monitor without telnet=on/,
    );
  });

  it('tells that nothing listens', async () => {
    const outcome = await resolveTarget('unix:/absent/qmp.sock')
      .target.start()
      .catch((error: Error) => error);
    expect(outcome).to.have.property('name', 'TargetError');
    expect((outcome as Error).message).to.equal('cannot connect to unix:/absent/qmp.sock: there is no such socket');
  });

  it('cannot start with options', async () => {
    const outcome = await (await attach(conversation((asked) => ok(asked))))
      .start({ paused: true })
      .catch((e: Error) => e);
    expect(outcome).to.have.property('name', 'NotOffered');
    expect((outcome as Error).message).to.match(/it runs already: only its address is known/);
  });

  it('leaves no scratch folder and no connection behind', async () => {
    let open = 0;
    const target = await attach((socket) => {
      open++;
      socket.on('close', () => open--);
      conversation((asked) => ok(asked))(socket);
    });
    const instance = await target.start();
    const session = await instance.connect();
    await session.negotiate();
    await instance.dispose();
    expect(session.ended).to.equal(true);
    for (let i = 0; i < 100 && open > 0; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(open).to.equal(0);
  });
});

describe('facts', () => {
  const factsOf = async (version: unknown, answer: (asked: Asked) => string | undefined, forced?: '7.2') => {
    const instance = await instanceOf((socket) => {
      const talk = conversation(answer);
      const write = socket.write.bind(socket);
      // The first thing that the conversation writes is its greeting.
      socket.write = (() => {
        socket.write = write;
        return write(`${JSON.stringify({ QMP: { version, capabilities: [] } })}\r\n`);
      }) as typeof socket.write;
      talk(socket);
    });
    return learnFacts(instance, forced);
  };
  const qemu = (major: number, minor: number, micro = 0) => ({ qemu: { major, minor, micro }, package: 'v1' });
  const silent = (asked: Asked) => (asked.execute === 'qmp_capabilities' ? ok(asked) : notFound(asked));

  it('are not to be had of a machine that is not built yet', async () => {
    const early = await factsOf(qemu(7, 2), (asked) =>
      asked.execute === 'query-migrate'
        ? JSON.stringify({
            error: {
              class: 'GenericError',
              desc: "The command 'query-migrate' is permitted only after machine initialization has completed",
            },
            id: asked.id,
          })
        : silent(asked),
    ).catch((error: Error) => error);
    expect(early).to.have.property('name', 'TargetError');
    expect(early).to.have.property('message').that.contains('send x-exit-preconfig');
  });

  it('of a known version need no note on the dialect', async () => {
    const facts = await factsOf(qemu(7, 2, 22), silent);
    expect(facts).to.deep.include({ product: 'qemu', version: '7.2.22', package: 'v1' });
    expect(facts.dialect.name).to.equal('7.2');
    expect(facts.dialectNote).to.equal(undefined);
  });

  it('of a version whose every rule is known need none either', async () => {
    const facts = await factsOf(qemu(9, 2, 1), silent);
    expect(facts.dialectNote).to.equal(undefined);
    expect(facts.dialect.version).to.deep.equal({ major: 9, minor: 2, micro: 0 });
    expect(facts.dialect.migration.recoverSetup).to.equal(true);
  });

  it('of versions in between, before and after tell which dialect stands in', async () => {
    const cases: [[number, number], string, RegExp][] = [
      [
        [8, 1],
        '7.2',
        /^8\.1\.0 has no dialect of its own: the nearest older one, 7\.2, is used, with what is known to be newer in it$/,
      ],
      [[11, 7], '10.0', /the nearest older one, 10\.0, is used/],
      [[2, 12], '3.0', /^2\.12\.0 has no dialect of its own: the oldest one there is, 3\.0, is used$/],
    ];
    for (const [[major, minor], name, note] of cases) {
      const facts = await factsOf(qemu(major, minor), silent);
      expect(facts.dialect.name).to.equal(name);
      expect(facts.dialectNote).to.match(note);
    }
  });

  it('of another product, or of none, use the baseline and say so', async () => {
    const other = await factsOf({ mymonitor: { major: 1, minor: 2 }, package: '' }, silent);
    expect(other).to.deep.include({ product: 'mymonitor', version: '1.2' });
    expect(other.dialect.name).to.equal('3.0');
    expect(other.dialectNote).to.match(/mymonitor has no known dialect/);
    for (const version of [undefined, 5, {}, { qemu: '7.2' }, { qemu: { major: 'x' } }]) {
      const facts = await factsOf(version, silent);
      expect(facts.dialect.name).to.equal('3.0');
      expect(facts.dialectNote).to.be.a('string');
    }
  });

  it('follow a dialect that is asked for', async () => {
    const facts = await factsOf(qemu(10, 0), silent, '7.2');
    expect(facts.dialect.name).to.equal('7.2');
    expect(facts.dialectNote).to.equal('chosen by --dialect');
    expect(knowsStream(facts)).to.equal(false);
  });

  it('know the stream of a dialect that is their own, or chosen where the greeting does not say otherwise', async () => {
    const mine = { mymonitor: { major: 7, minor: 2 }, package: '' };
    const cases = [
      [qemu(7, 2), undefined, true],
      [qemu(7, 2), '7.2', true],
      [qemu(8, 1), undefined, false],
      [qemu(8, 1), '7.2', false],
      [mine, undefined, false],
      [mine, '7.2', true],
    ] as const;
    for (const [version, forced, known] of cases)
      expect(knowsStream(await factsOf(version, silent, forced)), JSON.stringify([version, forced])).to.equal(known);
  });

  it('take the schema of the dialect where there is no introspection, and say why', async () => {
    const facts = await factsOf(qemu(7, 2), silent);
    expect(facts.schemaNote).to.match(/query-qmp-schema was not answered: the schema of dialect 7\.2 is used/);
    expect(facts.schema.commands.has('migrate')).to.equal(true);
    expect(facts.commands).to.equal(undefined);
    expect(facts.settings).to.equal(undefined);
    const broken = await factsOf(qemu(7, 2), (asked) =>
      ok(asked, asked.execute === 'query-qmp-schema' ? [{ 'meta-type': 'command', name: 'x', 'arg-type': '9' }] : {}),
    );
    expect(broken.schemaNote).to.match(/query-qmp-schema could not be read \(.+\): the schema of dialect 7\.2 is used/);
  });

  it("take the target's own schema, commands and settings where they are told", async () => {
    const schema = [
      { 'meta-type': 'command', name: 'query-x', 'arg-type': '0', 'ret-type': '0' },
      { 'meta-type': 'object', name: '0', members: [] },
    ];
    const answers: Record<string, unknown> = {
      'query-qmp-schema': schema,
      'query-commands': [{ name: 'query-x' }, { name: 'stop' }],
      'query-migrate-parameters': { 'max-bandwidth': 5 },
      'query-migrate-capabilities': [{ capability: 'events', state: false }],
    };
    const facts = await factsOf(qemu(8, 0), (asked) => ok(asked, answers[asked.execute as string] ?? {}));
    expect(facts.schemaNote).to.equal(undefined);
    expect([...facts.schema.commands.keys()]).to.deep.equal(['query-x']);
    expect([...(facts.commands ?? [])]).to.deep.equal(['query-x', 'stop']);
    expect(facts.settings?.parameters).to.deep.equal({ 'max-bandwidth': 5 });
  });
});
