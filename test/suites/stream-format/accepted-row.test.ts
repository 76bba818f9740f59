/** Streams with many peculiarities: each has its place, and a target that takes all of them takes the mixed ones. */
import { expect } from 'chai';
import { conduct } from '../../../suites/conduct.js';
import {
  type AcceptedRow,
  acceptedRows,
  loadsAll,
  mixed,
  mixesFor,
} from '../../../suites/stream-format/accepted-row.js';
import { qemuTarget } from '../../../targets/executable.js';
import { learnFacts } from '../../../targets/facts.js';
import { InProcessTarget } from '../../../targets/in-process/target.js';
import { InstancePool } from '../../../targets/pool.js';
import type { Target } from '../../../targets/target.js';
import { realQemu } from '../../targets/real-qemu.js';

const row = (id: string, more: Partial<AcceptedRow> = {}): AcceptedRow => ({ id, places: [], ...more });
const memory = { items: () => new Map() };
const ids = (mixes: readonly (readonly AcceptedRow[])[]) => mixes.map((mix) => mix.map(({ id }) => id).join(''));

describe('peculiar streams', () => {
  it('share a load where each finds its place', () => {
    const [a, b] = [row('a', { places: ['begin'] }), row('b', { places: ['begin'] })];
    expect(ids(mixed([a, b, row('c', { places: ['end'] })]))).to.deep.equal(['ac', 'b']);
    expect(ids(mixed([row('a', memory), row('b', { ...memory, places: ['first memory'] })]))).to.deep.equal(['ba']);
    expect(ids(mixed([row('a', { places: ['no memory'] }), row('b', memory), row('c')]))).to.deep.equal(['ac', 'b']);
    expect(ids(mixed([row('a', memory), row('b', { places: ['no memory'] })]))).to.deep.equal(['a', 'b']);
    expect(ids(mixed([row('a', { capabilities: ['x'] }), row('b')]))).to.deep.equal(['a', 'b']);
  });

  it('have ids of their own', () => {
    expect(new Set(acceptedRows.map(({ id }) => id)).size).to.equal(acceptedRows.length);
  });

  /** How each of the mixed loads went. */
  const loaded = async (target: Target) => {
    const pool = new InstancePool(target, 0);
    try {
      const first = await target.start();
      const facts = await learnFacts(first);
      await first.dispose();
      // Requirements that need a capability do not concern a target without it.
      const known = JSON.stringify(facts.settings?.capabilities);
      const has = ({ capabilities = [] }: AcceptedRow) => capabilities.every((name) => known.includes(`"${name}"`));
      const mixes = mixesFor(facts).filter((mix) => mix.every(has));
      expect(mixes.length).to.be.lessThan(acceptedRows.length / 2);
      for (const mix of mixes) {
        const id = mix.map((one) => one.id).join(' ');
        const run = (t: Parameters<typeof loadsAll>[0]) => loadsAll(t, mix);
        const requirement = { id, level: 'MUST', title: id, spec: '', run } as const;
        const { verdict } = await conduct(requirement, { facts, pool, strictDesc: false, seed: 0 });
        expect(verdict, id).to.deep.equal({ kind: 'conforms' });
      }
    } finally {
      await pool.close();
      await target.close();
    }
  };

  for (const dialect of ['3.0', '7.2', '10.0'] as const) {
    it(`are taken together by the reference, as ${dialect}`, () => loaded(new InProcessTarget({ dialect })));
  }
  it('are taken together by a real QEMU', async function () {
    await loaded(qemuTarget('qemu', realQemu(this)));
  });
});
