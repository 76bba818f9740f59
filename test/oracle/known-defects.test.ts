import { expect } from 'chai';
import { defectOfCrash, defectsOf, knownDefects } from '../../oracle/known-defects.js';

const has = (id: string, release: string): boolean => {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return defectsOf({ major, minor }).has(id);
};

/** Releases that showed a defect, and such as were seen to be free of it. */
const seen: readonly { readonly id: string; readonly on: readonly string[]; readonly not: readonly string[] }[] = [
  { id: 'QMP-BUG-08', on: ['4.2'], not: ['3.0', '5.2', '7.2'] },
  { id: 'QMP-BUG-09', on: ['4.2'], not: ['3.0', '5.2', '7.2'] },
  { id: 'QMP-BUG-10', on: ['6.2', '10.1'], not: ['3.0', '4.2'] },
  { id: 'MIG-DEF-45', on: ['4.2'], not: ['3.0', '5.2', '7.2'] },
  { id: 'MIG-DEF-46', on: ['4.2'], not: ['3.0', '5.2', '7.2'] },
  { id: 'MIG-DEF-47', on: ['10.1', '10.2', '11.0', '11.1'], not: ['9.2', '10.0'] },
  { id: 'MIG-DEF-50', on: ['5.2', '6.2', '7.2', '9.2', '10.0'], not: ['4.2', '11.0', '11.1'] },
  { id: 'MIG-DEF-49', on: ['5.2', '6.2', '7.2', '9.2'], not: ['4.2', '11.0', '11.1'] },
  { id: 'MIG-DEF-52', on: ['4.2'], not: ['3.0', '5.2', '7.2'] },
  { id: 'MIG-DEF-51', on: ['10.0'], not: ['7.2', '11.0'] },
  { id: 'MIG-DEF-53', on: ['6.2', '7.2'], not: ['5.2', '8.2', '10.0'] },
  { id: 'MIG-DEF-55', on: ['5.2', '6.2', '7.2'], not: ['4.2', '8.2', '9.2', '10.0'] },
  { id: 'MIG-DEF-54', on: ['6.2'], not: ['5.2', '7.2', '8.2'] },
];

/** What processes said when they died, and of what. */
const lastWords: readonly (readonly [release: string, stderr: string, id: string])[] = [
  [
    '4.2',
    "qemu: util/qemu-thread-posix.c:64: qemu_mutex_lock_impl: Assertion `mutex->initialized' failed.",
    'MIG-DEF-46',
  ],
  [
    '7.2',
    "q: memory.c:2435: memory_region_add_subregion_common: Assertion `!subregion->container' failed.",
    'MIG-DEF-49',
  ],
  [
    '6.2',
    "q: memory.c:2782: memory_global_dirty_log_start: Assertion `!(global_dirty_tracking & flags)' failed.",
    'MIG-DEF-54',
  ],
  [
    '10.0',
    "q: physmem.c:864: tlb_reset_dirty_range_all: Assertion `block == qemu_get_ram_block(end - 1)' failed.",
    'MIG-DEF-51',
  ],
];

describe('known defects', () => {
  it('have ids of their own', () => {
    const ids = knownDefects.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).to.deep.equal([]);
  });

  it('are those of the releases that showed them', () => {
    for (const { id, on, not } of seen) {
      for (const release of on) expect(has(id, release), `${id} on ${release}`).to.equal(true);
      for (const release of not) expect(has(id, release), `${id} on ${release}`).to.equal(false);
    }
  });

  it('are told by the last words of a process, where its release has them', () => {
    for (const [release, stderr, id] of lastWords) {
      const [major = 0, minor = 0] = release.split('.').map(Number);
      expect(defectOfCrash(stderr, defectsOf({ major, minor }))?.id).to.equal(id);
      expect(defectOfCrash(stderr, defectsOf({ major: 11, minor: 1 }))).to.equal(undefined);
    }
  });

  it('span releases in order', () => {
    for (const { id, from, to } of knownDefects) {
      expect(from[0] < to[0] || (from[0] === to[0] && from[1] <= to[1]), id).to.equal(true);
    }
  });
});
