/** Every kind of target brings a monitor that migrates to life, with everything that can be asked of a start. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { JsonObject } from '../../protocol/json.js';
import { commandTarget, qemuTarget, referenceTarget } from '../../targets/executable.js';
import { learnFacts } from '../../targets/facts.js';
import { freePort } from '../../targets/free-port.js';
import { probe } from '../../targets/probe.js';
import { resolveTarget } from '../../targets/resolve.js';
import type { Instance, MonitorOptions, StartOptions, Target } from '../../targets/target.js';
import { realQemu } from './real-qemu.js';

const status = async (instance: Instance): Promise<unknown> => {
  const session = await instance.connect();
  await session.negotiate();
  const { value } = await session.command('query-status');
  session.close();
  return ((value as JsonObject).return as JsonObject).status;
};

const behaves = (make: (context: Mocha.Context) => Target) => {
  let target: Target;
  before(function () {
    target = make(this);
  });
  after(() => target?.close());

  const start = (options: StartOptions = {}) => target.start(options);

  it('starts a monitor that is healthy and knows itself', async () => {
    const instance = await start();
    expect(await probe(instance)).to.include({ health: 'healthy' });
    const facts = await learnFacts(instance);
    expect(facts.product).to.equal('qemu');
    expect(facts.commands?.has('migrate')).to.equal(true);
    expect(await status(instance)).to.equal('running');
    await instance.dispose();
  });

  it('starts it paused, waiting, and named', async () => {
    const instance = await start({ paused: true, name: 'guest one' });
    expect(await status(instance)).to.match(/^(prelaunch|paused)$/);
    const session = await instance.connect();
    await session.negotiate();
    expect((await session.command('query-name')).value).to.have.deep.property('return', { name: 'guest one' });
    await instance.dispose();
    const waiting = await start({ incoming: 'defer' });
    expect(await status(waiting)).to.equal('inmigrate');
    await waiting.dispose();
  });

  const monitors: readonly MonitorOptions[] = [
    { transport: 'stdio' },
    { transport: 'unix', pretty: true },
    { transport: 'tcp' },
    { transport: 'unix' },
  ];
  it('starts it with monitors over stdio, unix and tcp, each with its session', async () => {
    const instance = await start({ monitors });
    expect(instance.monitors).to.equal(4);
    for (const monitor of monitors.keys()) {
      const session = await instance.connect({ monitor });
      await session.negotiate();
      const reply = await session.command('query-name');
      expect(reply.kind, `monitor ${monitor + 1}`).to.equal('success');
      expect(reply.text.includes('\n')).to.equal(monitor === 1);
    }
    const error = await instance.connect({ monitor: 0 }).catch((error: Error) => error);
    expect((error as Error).message).to.match(/serve one connection only/);
    await instance.dispose();
  });

  it('can be attached to by another target', async () => {
    const instance = await start({ monitors: [{ transport: 'unix' }] });
    (await instance.connect()).close();
    const { target: attached } = resolveTarget(`unix:${join(instance.scratch, 'qmp1.sock')}`);
    const other = await attached.start();
    expect(await probe(other)).to.include({ health: 'healthy' });
    await other.dispose();
    expect(instance.exit).to.equal(undefined);
    await instance.dispose();
  });
};

describe('reference target', () => {
  behaves(() => referenceTarget());

  it('speaks the dialect that it is asked for', async () => {
    const { target } = resolveTarget('reference:7.2');
    const instance = await target.start();
    expect((await learnFacts(instance)).dialect.name).to.equal('7.2');
    await target.close();
  });
});

describe('QEMU target', () => {
  behaves((context) => qemuTarget('qemu', realQemu(context)));

  it('gives what the process says when it cannot start', async function () {
    const target = qemuTarget('qemu', realQemu(this), { args: ['-qmpspec-no-such-option'] });
    const error = await target.start().catch((error: Error) => error);
    expect((error as Error).message).to.match(/ended before its monitor listened \(exit status 1\): .*invalid option/);
  });

  it('loads an image into guest RAM', async function () {
    const target = qemuTarget('qemu', realQemu(this));
    const donor = await target.start();
    const image = join(donor.scratch, 'ram.img');
    writeFileSync(image, 'hello, guest');
    const instance = await target.start({ ramImage: image, memory: 32 });
    const session = await instance.connect();
    await session.negotiate();
    const read = await session.command('human-monitor-command', { 'command-line': 'xp /1wx 0' });
    expect(read.text).to.contain('0x6c6c6568');
    await target.close();
  });
});

describe('command target', () => {
  it('starts QEMU by a template, over its unix socket', async function () {
    const program = realQemu(this);
    const template = `${program} -M none -nodefaults -display none -m {memory}M -qmp {qmp},server,nowait [-incoming {incoming}]`;
    const target = commandTarget('mine', template);
    const instance = await target.start({ incoming: 'defer' });
    expect(await status(instance)).to.equal('inmigrate');
    await target.close();
    expect(instance.exit?.signal).to.equal('SIGKILL');
  });

  it('reaches QEMU over tcp as an address', async function () {
    const port = await freePort();
    const started = qemuTarget('qemu', realQemu(this), { args: ['-qmp', `tcp:127.0.0.1:${port},server,nowait`] });
    await started.start();
    const { target } = resolveTarget(`tcp:127.0.0.1:${port}`);
    const instance = await target.start();
    expect(await status(instance)).to.equal('running');
    await instance.dispose();
    await started.close();
  });
});
