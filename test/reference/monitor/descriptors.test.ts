import { closeSync, existsSync, fstatSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type DescriptorPassing, descriptorPassing } from '../../../protocol/descriptor-passing.js';
import { commandWithDescriptors, sendWithDescriptors } from '../../../protocol/descriptor-sending.js';
import type { JsonObject } from '../../../protocol/json.js';
import type { Session } from '../../../protocol/session.js';
import { qemuTarget, referenceTarget } from '../../../targets/executable.js';
import type { Instance, Target } from '../../../targets/target.js';
import { findQemu } from '../migration/real-qemu.js';

const folder = mkdtempSync(join(tmpdir(), 'descriptors-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const openOnes = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });

async function passing(context: Mocha.Context): Promise<DescriptorPassing> {
  const found = await descriptorPassing();
  if (found !== undefined) return found;
  console.log('    skipped: koffi is not installed, or this is no 64-bit Linux');
  return context.skip();
}

describe('descriptor passing', () => {
  it('hands descriptors over a socket pair, in order, with the bytes they ride on', async function () {
    const { socketPair, send, receive } = await passing(this);
    const [a, b] = socketPair();
    const files = [0, 1].map((n) => openSync(join(folder, `file${n}`), 'w'));
    const room = Buffer.alloc(100);
    try {
      expect(receive(b, room), 'nothing there').to.equal(undefined);
      expect(send(a, Buffer.from('x'), files)).to.equal(1);
      expect(send(a, Buffer.from('yz'), [])).to.equal(2);
      const first = receive(b, room);
      expect(first?.length).to.equal(1);
      expect(first?.descriptors).to.have.length(2);
      const inodes = (fds: readonly number[]) => fds.map((fd) => fstatSync(fd).ino);
      expect(inodes(first?.descriptors ?? [])).to.deep.equal(inodes(files));
      expect(receive(b, room)).to.deep.equal({ length: 2, descriptors: [] });
      for (const fd of first?.descriptors ?? []) closeSync(fd);
    } finally {
      for (const fd of [a, b, ...files]) closeSync(fd);
    }
    expect(() => send(a, Buffer.from('x'), [])).to.throw('EBADF');
  });

  it('receives at most sixteen of one message (QMP-FD-03)', async function () {
    const { socketPair, send, receive } = await passing(this);
    const [a, b] = socketPair();
    const file = openSync(join(folder, 'many'), 'w');
    send(a, Buffer.from('x'), new Array<number>(17).fill(file));
    const { descriptors } = receive(b, Buffer.alloc(1)) ?? { descriptors: [] };
    expect(descriptors).to.have.length(16);
    for (const fd of [a, b, file, ...descriptors]) closeSync(fd);
  });
});

const monitors: [string, (context: Mocha.Context) => Target][] = [
  ['the reference monitor', () => referenceTarget()],
  [
    'a real QEMU',
    (context) => {
      const program = findQemu('7.2');
      if (program !== undefined) return qemuTarget('qemu', program);
      if (process.env.QMPSPEC_REQUIRE_QEMU === '1') throw new Error('no qemu-system-x86_64 on PATH');
      console.log('    skipped: no qemu-system-x86_64 on PATH');
      return context.skip();
    },
  ],
];

for (const [name, make] of monitors) {
  describe(`descriptors given to ${name}`, function () {
    this.timeout(30_000);
    let target: Target;
    let instance: Instance;
    let session: Session;
    before(async function () {
      await passing(this);
      target = make(this);
      instance = await target.start();
      session = await instance.connect();
      await session.negotiate();
    });
    after(() => target?.close());

    /** Path of a fresh file, and a descriptor of it. */
    let count = 0;
    const file = () => {
      const path = join(folder, `given${++count}-${process.pid}`);
      return { path, fd: openSync(path, 'w') };
    };
    const held = (path: string) => openOnes(instance.pid ?? 0).filter((one) => one === path).length;
    const reply = (received: { readonly value: unknown }) => received.value as JsonObject;

    it('are named, replaced and closed', async () => {
      const one = file();
      const two = file();
      expect(reply(await commandWithDescriptors(session, 'getfd', { fdname: 'm' }, [one.fd]))).to.have.property(
        'return',
      );
      expect(held(one.path)).to.equal(1);
      expect(reply(await commandWithDescriptors(session, 'getfd', { fdname: 'm' }, [two.fd]))).to.have.property(
        'return',
      );
      expect([held(one.path), held(two.path)]).to.deep.equal([0, 1]);
      expect(reply(await session.command('closefd', { fdname: 'm' }))).to.have.property('return');
      expect(held(two.path)).to.equal(0);
      for (const { fd, path } of [one, two]) {
        closeSync(fd);
        expect(existsSync(path)).to.equal(true);
      }
    });

    it('wait on any byte, the last batch counts, its first descriptor is used', async () => {
      const [one, two, three] = [file(), file(), file()];
      await sendWithDescriptors(session, ' ', [one.fd]);
      await session.fence();
      await sendWithDescriptors(session, ' ', [two.fd, three.fd]);
      await session.fence();
      expect(held(one.path), 'the first batch is closed').to.equal(0);
      const added = reply(await session.command('add-fd', { opaque: 'x' })).return as JsonObject;
      expect([held(two.path), held(three.path)]).to.deep.equal([1, 0]);
      const sets = reply(await session.command('query-fdsets')).return;
      expect(JSON.stringify(sets)).to.contain('"opaque":"x"');
      expect(reply(await session.command('getfd', { fdname: 'none' }))).to.have.property('error');
      await session.command('remove-fd', { 'fdset-id': added['fdset-id'] });
      expect(held(two.path)).to.equal(0);
      for (const { fd } of [one, two, three]) closeSync(fd);
    });
  });
}
