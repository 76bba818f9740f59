/** commands.md §8.6: a guest that writes faster than it can be sent is slowed down. */
import { imageFile } from '../../oracle/ram-image.js';
import type { Trial } from '../../oracle/trial.js';
import type { TargetFacts } from '../../targets/facts.js';
import { NotOffered, TargetError } from '../../targets/target.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { peerNeeds, type Source, source } from '../state-machine/source.js';

/** In percent: where it begins, how much it grows, and where it ends. */
const [initial, increment, limit] = [35, 30, 60] as const;
/** Milliseconds for both decisions: each takes two looks for dirty pages that are a second apart. */
const patience = 15_000;

/** Writes to a byte of each page of the first 576 KiB, again and again. */
const program = Buffer.from(
  '31c0 8ed8 31db fe07 81c3 0010 73f8 8cd8 0500 10 3d00 90 7202 31c0 8ed8 ebe8'.replaceAll(' ', ''),
  'hex',
);
/** A ROM of 64 KiB for the end of the first MiB, where a processor begins with a jump to its begin. */
function rom(): Buffer {
  const bytes = Buffer.alloc(0x10000, 0xf4);
  program.copy(bytes);
  Buffer.from('ea000000f0', 'hex').copy(bytes, 0xfff0);
  return bytes;
}

/** Its clock is slowed, so that writing costs the host little. */
async function busy(t: Trial): Promise<Source> {
  const extra = ['-machine', 'pc,accel=tcg', '-bios', imageFile('busy-rom', rom), '-icount', 'shift=8'];
  const parameters = {
    'max-bandwidth': 2 ** 20,
    'downtime-limit': 1,
    'cpu-throttle-initial': initial,
    'cpu-throttle-increment': increment,
    'max-cpu-throttle': limit,
  };
  try {
    return await source(t, 'answer', { start: { extra }, capabilities: ['auto-converge'], parameters });
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    throw new NotOffered('it has no machine with a processor that our program runs on');
  }
}

const unlessThrottled = (facts: TargetFacts): string | undefined =>
  unlessExact(facts) ??
  (facts.dialect.name === '10.0' ? undefined : 'releases before 10.0 never throttle a guest whose clock is slowed');

export const throttle = new ChapterBuilder(['Effects', 'Throttle'], 'commands.md §8.6', peerNeeds)
  .must(
    'MIG-CMD-INV-08.busy',
    'a guest that writes too fast is throttled from cpu-throttle-initial on, by cpu-throttle-increment, to max-cpu-throttle',
    async (t) => {
      const one = await busy(t);
      await one.migrate();
      const seen: unknown[] = [];
      const until = performance.now() + patience;
      while (seen.length < 2 && performance.now() < until) {
        // Decided at each look for dirty pages.
        await one.session.event('MIGRATION_PASS', { since: one.session.mark() });
        const { status, 'cpu-throttle-percentage': shown } = await one.info();
        t.check(status === 'setup' || status === 'active', 'a migration that goes on', String(status));
        if (shown !== undefined && shown !== seen.at(-1)) seen.push(shown);
      }
      const expected = [initial, Math.min(initial + increment, limit)].join(', ');
      t.check(seen.join(', ') === expected, expected, seen.join(', ') || 'no throttle', 'cpu-throttle-percentage');
      await one.does('migrate_cancel');
      await one.until('cancelled');
    },
    {
      needs: {
        ...peerNeeds,
        abilities: [...peerNeeds.abilities, 'arguments'],
        capabilities: ['auto-converge'],
        parameters: ['cpu-throttle-initial', 'cpu-throttle-increment', 'max-cpu-throttle'],
        unless: unlessThrottled,
      },
    },
  )
  .done();
