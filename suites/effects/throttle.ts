/** commands.md §8.6: a guest that writes faster than it can be sent is slowed down. */
import { imageFile } from '../../oracle/ram-image.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject } from '../../protocol/json.js';
import type { TargetFacts } from '../../targets/facts.js';
import { otherMemory } from '../../targets/machine.js';
import { NotOffered, TargetError } from '../../targets/target.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { peerNeeds, type Source, source } from '../state-machine/source.js';

/** In percent: where it begins, how much it grows, and where it ends. */
const [initial, increment, limit] = [35, 30, 60] as const;
/** Milliseconds: far less than what is written takes. */
const downtimeLimit = 1;
/** Milliseconds for both decisions, each of which takes two looks for dirty pages that are a second apart, and for rates. */
const patience = 15_000;

/** Times that it may be tried again. */
const attempts = 3;

/** Writes to a byte of each page of the first 576 KiB, again and again. */
const program = Buffer.from(
  '31c0 8ed8 31db fe07 81c3 0010 73f8 8cd8 0500 10 3d00 90 7202 31c0 8ed8 ebe8'.replaceAll(' ', ''),
  'hex',
);
const written = 576 << 10;

/** What is seen of rates: none yet, in words what is wrong with them, or nothing. */
type Rates = 'none' | 'plausible' | `${string} ms`;

/**
 * All that the program writes is dirty at each look. With the speed of a window it takes as long as the downtime that is
 * expected, and looks follow each other about as fast.
 */
function ratesOf({ ram, ...info }: JsonObject): Rates | undefined {
  const expected = Number(info['expected-downtime']);
  if (!isObject(ram) || expected <= downtimeLimit) return undefined;
  const [mbps, dirtied, page] = [ram.mbps, ram['dirty-pages-rate'], ram['page-size']].map(Number) as [
    number,
    number,
    number,
  ];
  if (dirtied === 0) return undefined;
  const taken = written / (mbps * 125);
  const near = (figure: number, at: number) => figure > at * 0.6 && figure < at * 1.5;
  const holds = near(expected, taken) && near((1000 * written) / page / dirtied, taken);
  return holds ? 'plausible' : `${dirtied} pages a second, ${mbps} Mbit/s and ${expected} ms`;
}

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
    'downtime-limit': downtimeLimit,
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

/**
 * What is seen of the throttle, one figure after the other, and of the rates, until both are as they should be; `undefined`
 * where the migration comes to its end.
 */
async function watched(t: Trial): Promise<[Source, unknown[], Rates | undefined]> {
  const one = await busy(t);
  await one.migrate();
  const seen: unknown[] = [];
  let rates: Rates = 'none';
  const until = one.session.patience(patience);
  // A window in which the machine stood still tells of another speed than the guest has.
  while ((seen.length < 2 || rates !== 'plausible') && !until.passed) {
    // Decided at each look for dirty pages.
    await one.session.event('MIGRATION_PASS', { since: one.session.mark() });
    const info = await one.info();
    const { status, 'cpu-throttle-percentage': shown } = info;
    if (status !== 'setup' && status !== 'active') return [one, seen, undefined];
    if (shown !== undefined && shown !== seen.at(-1)) seen.push(shown);
    if (rates !== 'plausible') rates = ratesOf(info) ?? rates;
  }
  return [one, seen, rates];
}

const unlessThrottled = (facts: TargetFacts): string | undefined =>
  unlessExact(facts) ??
  otherMemory(facts) ??
  (facts.dialect.migration.throttlesSlowClock ? undefined : 'it never throttles a guest whose clock is slowed');

export const throttle = new ChapterBuilder(['Effects', 'Throttle'], 'commands.md §8.6', peerNeeds)
  .must(
    'MIG-CMD-INV-08.busy',
    'a guest that writes too fast is throttled from cpu-throttle-initial on, by cpu-throttle-increment, to max-cpu-throttle',
    async (t) => {
      let [one, seen, rates] = await watched(t);
      // A guest that was kept from its processor by other programs writes nothing, and its migration comes to its end.
      for (let more = 0; more < attempts && rates === undefined; more++) [one, seen, rates] = await watched(t);
      t.check(rates !== undefined, 'a migration that goes on', 'one that comes to its end');
      const expected = [initial, Math.min(initial + increment, limit)].join(', ');
      t.check(seen.join(', ') === expected, expected, seen.join(', ') || 'no throttle', 'cpu-throttle-percentage');
      t.check(rates === 'plausible', 'a rate of dirty pages, and a downtime for what is dirty at once', rates, 'rates');
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
