import { expect } from 'chai';
import { type DialectName, dialects } from '../../../reference/dialects/dialect.js';
import { command, initialState, type ModelState } from '../../../reference/model/index.js';

/** Applies commands one after the other; the last one's reply and the state after it. */
function apply(dialect: DialectName, ...calls: [string, Record<string, unknown>][]) {
  const rules = dialects[dialect].migration;
  let state: ModelState = initialState(rules);
  let desc: string | undefined;
  let value: unknown;
  for (const [name, args] of calls) {
    const [only] = command(state, { name, args }, rules);
    const reply = only!.outputs.find((output) => output.kind === 'reply');
    desc = reply?.ok === false ? reply.desc : undefined;
    value = reply?.ok === true ? reply.value?.exact : undefined;
    state = only!.next;
  }
  return { state, desc, value };
}
const set = (args: Record<string, unknown>): [string, Record<string, unknown>] => ['migrate-set-parameters', args];
const on = (...names: string[]): [string, Record<string, unknown>] => [
  'migrate-set-capabilities',
  {
    capabilities: names.map((capability) => ({
      capability: capability.replace('-!', ''),
      state: !capability.endsWith('-!'),
    })),
  },
];

describe('model: parameters and capabilities', () => {
  it('shows the defaults (MIG-CMD-QPAR-02)', () => {
    expect(apply('3.0', ['query-migrate-parameters', {}]).value).to.deep.equal({
      'compress-level': 1,
      'compress-threads': 8,
      'decompress-threads': 2,
      'cpu-throttle-initial': 20,
      'cpu-throttle-increment': 10,
      'tls-creds': '',
      'tls-hostname': '',
      'max-bandwidth': 33554432,
      'downtime-limit': 300,
      'x-checkpoint-delay': 200,
      'block-incremental': false,
      'x-multifd-channels': 2,
      'x-multifd-page-count': 16,
      'xbzrle-cache-size': 67108864,
      'max-postcopy-bandwidth': 0,
      'max-cpu-throttle': 99,
    });
    expect(apply('7.2', ['query-migrate-parameters', {}]).value).to.have.property('max-bandwidth', 134217728);
    expect(apply('10.0', ['query-migrate-parameters', {}]).value).to.include({ mode: 'normal', 'direct-io': false });
  });

  const wraps: [string, bigint, string][] = [
    ['compress-level', 256n, '0'],
    ['compress-threads', 257n, '1'],
    ['max-cpu-throttle', 355n, '99'],
    ['x-checkpoint-delay', 4294967301n, '5'],
    ['x-checkpoint-delay', -1n, '4294967295'],
    ['x-multifd-page-count', 4294967297n, '1'],
    ['max-bandwidth', -1n, '18446744073709551615'],
  ];
  for (const [name, given, stored] of wraps) {
    it(`stores ${name} ${given} as ${stored} (MIG-CMD-SPAR-05)`, () => {
      const { state, desc } = apply('3.0', set({ [name]: given }));
      expect(desc).to.equal(undefined);
      expect(state.parameters[name]).to.equal(stored);
    });
  }

  const refusals: [DialectName, Record<string, unknown>, string][] = [
    [
      '3.0',
      { 'compress-level': 10n },
      "Parameter 'compress_level' expects is invalid, it should be in the range of 0 to 9",
    ],
    [
      '3.0',
      { 'compress-threads': 256n },
      "Parameter 'compress_threads' expects is invalid, it should be in the range of 1 to 255",
    ],
    [
      '3.0',
      { 'cpu-throttle-initial': 0n },
      "Parameter 'cpu_throttle_initial' expects an integer in the range of 1 to 99",
    ],
    [
      '3.0',
      { 'downtime-limit': -1n },
      "Parameter 'downtime_limit' expects an integer in the range of 0 to 2000000 milliseconds",
    ],
    [
      '3.0',
      { 'x-multifd-channels': 0n },
      "Parameter 'multifd_channels' expects is invalid, it should be in the range of 1 to 255",
    ],
    [
      '3.0',
      { 'xbzrle-cache-size': 5000n },
      "Parameter 'xbzrle_cache_size' expects is invalid, it should be bigger than target page size and a power of two",
    ],
    [
      '3.0',
      { 'max-cpu-throttle': 19n },
      "Parameter 'max_cpu_throttle' expects an integer in the range of cpu_throttle_initial to 99",
    ],
    [
      '3.0',
      { 'compress-threads': 0n, 'compress-level': 10n },
      "Parameter 'compress_level' expects is invalid, it should be in the range of 0 to 9",
    ],
    ['7.2', { 'compress-level': 10n }, "Parameter 'compress_level' expects a value between 0 and 9"],
    ['7.2', { 'announce-step': 0n }, "Parameter 'announce_step' expects a value between 0 and 10000"],
    ['10.0', { 'multifd-zstd-level': 21n }, "Parameter 'multifd_zstd_level' expects a value between 0 and 20"],
    ['10.0', { 'vcpu-dirty-limit': 0n }, "Parameter 'vcpu_dirty_limit' must be greater than 1 MB/s"],
  ];
  for (const [dialect, args, text] of refusals) {
    it(`${dialect} refuses ${Object.entries(args).join(' ')}`, () => {
      const { desc, state } = apply(dialect, set(args));
      expect(desc).to.equal(text);
      expect(state).to.deep.equal(initialState(dialects[dialect].migration));
    });
  }

  it('checks the whole trial set, and changes all or nothing (MIG-CMD-SPAR-03, -04)', () => {
    const { desc, state } = apply(
      '3.0',
      set({ 'max-cpu-throttle': 30n }),
      set({ 'cpu-throttle-initial': 40n, 'compress-level': 3n }),
    );
    expect(desc).to.match(/max_cpu_throttle/);
    expect(state.parameters).to.include({ 'cpu-throttle-initial': '20', 'compress-level': '1' });
  });

  it('takes null for a tls parameter as the empty text (MIG-CMD-SPAR-06)', () => {
    const { state } = apply('3.0', set({ 'tls-creds': 'id' }), set({ 'tls-creds': null }));
    expect(state.parameters['tls-creds']).to.equal('');
  });

  it('has the deprecated commands of the baseline (MIG-CMD-LEG-01 to -04)', () => {
    expect(apply('3.0', ['migrate_set_speed', { value: 5n }]).state.parameters['max-bandwidth']).to.equal('5');
    expect(apply('3.0', ['migrate_set_downtime', { value: 1.2349 }]).state.parameters['downtime-limit']).to.equal(
      '1234',
    );
    expect(apply('3.0', ['migrate_set_downtime', { value: 2000.0001 }]).desc).to.equal(
      "Parameter 'downtime_limit' expects an integer in the range of 0 to 2000 seconds",
    );
    expect(apply('3.0', ['migrate-set-cache-size', { value: 100000n }]).desc).to.match(/xbzrle_cache_size/);
    const huge = apply('3.0', ['migrate-set-cache-size', { value: -(2n ** 63n) }], ['query-migrate-cache-size', {}]);
    expect(huge.value).to.equal(-(2n ** 63n));
    expect(apply('7.2', ['migrate_set_speed', { value: 5n }]).desc).to.match(/has not been found/);
  });

  const conflicts: [DialectName, string[], string | undefined][] = [
    ['3.0', ['compress', 'postcopy-ram'], 'Postcopy is not currently compatible with compression'],
    ['3.0', ['x-multifd', 'compress'], undefined],
    ['7.2', ['compress', 'postcopy-ram'], undefined],
    ['7.2', ['multifd', 'compress'], 'Multifd is not compatible with compress'],
    ['7.2', ['postcopy-preempt'], 'Postcopy preempt requires postcopy-ram'],
    ['7.2', ['zero-copy-send'], 'Zero copy only available for non-compressed non-TLS multifd migration'],
    ['7.2', ['background-snapshot', 'xbzrle'], 'Background-snapshot is not compatible with xbzrle'],
    ['10.0', ['multifd', 'postcopy-ram'], 'Postcopy is not yet compatible with multifd'],
    ['10.0', ['mapped-ram', 'xbzrle'], 'Mapped-ram migration is incompatible with xbzrle'],
    ['10.0', ['switchover-ack'], "Capability 'switchover-ack' requires capability 'return-path'"],
    ['10.0', ['switchover-ack', 'return-path'], undefined],
  ];
  for (const [dialect, names, text] of conflicts) {
    it(`${dialect}: ${names.join(' + ')} is ${text === undefined ? 'accepted' : 'refused'} (MIG-CMD-SCAP-06, -08)`, () => {
      const { desc, state } = apply(dialect, on(...names));
      expect(desc).to.equal(text);
      expect([...state.capabilities].sort()).to.deep.equal(text === undefined ? [...names].sort() : []);
    });
  }

  it('judges the result and not the list; the last entry of a name wins (MIG-CMD-SCAP-04)', () => {
    expect(apply('3.0', on('compress'), on('compress-!', 'postcopy-ram')).state.capabilities).to.deep.equal([
      'postcopy-ram',
    ]);
    expect(apply('3.0', on('events', 'events-!')).state.capabilities).to.deep.equal([]);
  });

  const node = (name: string, alias: string, ...bitmaps: [string, string][]) => ({
    'node-name': name,
    alias,
    bitmaps: bitmaps.map(([bitmap, other]) => ({ name: bitmap, alias: other })),
  });
  const mappings: [string, string | undefined, ...ReturnType<typeof node>[]][] = [
    ['plain ones', undefined, node('disk', 'a.-_9', ['b', 'c']), node('', 'B')],
    ['bitmaps without a name', undefined, node('disk', 'a', ['', ''])],
    ['the longest', undefined, node('n'.repeat(31), 'a'.repeat(255), ['b'.repeat(1023), 'c'.repeat(255)])],
    ['an empty alias', "The node alias '' is not well-formed", node('disk', '')],
    ['an alias that begins with a digit', "The node alias '0' is not well-formed", node('disk', '0')],
    ['an alias with a line end', "The node alias 'a\n' is not well-formed", node('disk', 'a\n')],
    ['an alias that is too long', 'is longer than 255 bytes', node('disk', 'a'.repeat(256))],
    ['a node name that is too long', 'is longer than 31 bytes', node('ä'.repeat(16), 'a')],
    ['a bitmap alias that is too long', 'is longer than 255 bytes', node('disk', 'a', ['b', 'a'.repeat(256)])],
    ['a bitmap name that is too long', 'is longer than 1023 bytes', node('disk', 'a', ['b'.repeat(1024), 'a'])],
    ['a node twice', "The node name 'n' is mapped twice", node('n', 'a'), node('n', 'b')],
    ['an alias twice', "The node alias 'a' is used twice", node('n', 'a'), node('m', 'a')],
    ['a bitmap twice', "The bitmap 'n'/'b' is mapped twice", node('n', 'a', ['b', 'c'], ['b', 'd'])],
    ['a bitmap alias twice', "The bitmap alias 'a'/'c' is used twice", node('n', 'a', ['b', 'c'], ['d', 'c'])],
  ];
  for (const [title, fault, ...mapping] of mappings) {
    it(`${fault === undefined ? 'takes' : 'refuses'} a mapping of bitmaps with ${title}`, () => {
      const { desc, state } = apply('7.2', set({ 'block-bitmap-mapping': mapping }));
      const stored = state.parameters['block-bitmap-mapping'];
      if (fault === undefined) {
        expect(desc).to.equal(undefined);
        expect(stored).to.equal(mapping);
      } else {
        expect(desc).to.match(/^Invalid mapping given for block-bitmap-mapping: The /);
        expect(desc).to.contain(fault);
        expect(stored).to.equal(undefined);
      }
    });
  }

  const zeroCopy = 'Zero copy only available for non-compressed non-TLS multifd migration';
  const zlib = set({ 'multifd-compression': 'zlib' });
  const credentials = set({ 'tls-creds': 'x' });
  it('refuses compression and TLS with zero copy, whichever comes second', () => {
    for (const dialect of ['7.2', '10.0'] as const) {
      for (const second of [zlib, credentials]) {
        expect(apply(dialect, on('multifd', 'zero-copy-send'), second).desc).to.equal(zeroCopy);
        expect(apply(dialect, second, on('multifd', 'zero-copy-send')).desc).to.equal(zeroCopy);
      }
      const undone = apply(dialect, zlib, set({ 'multifd-compression': 'none' }), on('multifd', 'zero-copy-send'));
      expect(undone.desc).to.equal(undefined);
    }
  });

  it('takes compression with mapped-ram, and no parameter after that, as a real 10.0 does', () => {
    const mapped = 'Mapped-ram only available for non-compressed non-TLS multifd migration';
    for (const second of [zlib, credentials]) {
      expect(apply('10.0', on('mapped-ram'), second).desc).to.equal(undefined);
      expect(apply('10.0', on('mapped-ram'), second, set({ 'max-bandwidth': 5n })).desc).to.equal(mapped);
      expect(apply('10.0', second, on('mapped-ram')).desc).to.equal(undefined);
    }
    const range = apply('10.0', on('mapped-ram'), zlib, set({ 'multifd-channels': 0n }));
    expect(range.desc).to.match(/multifd_channels/);
    const freed = apply('10.0', on('mapped-ram'), zlib, on('mapped-ram-!'), set({ 'multifd-compression': 'none' }));
    expect(freed.desc).to.equal(undefined);
  });
});
