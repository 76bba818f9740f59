/** commands.md §6, the table of what a change of a parameter does: each by what is seen of it, not by what is read back. */

import { performance } from 'node:perf_hooks';
import { ramImage } from '../../oracle/ram-image.js';
import type { Trial } from '../../oracle/trial.js';
import { DeadlinePassed } from '../../protocol/errors.js';
import { isObject } from '../../protocol/json.js';
import { SectionType } from '../../reference/stream/format.js';
import { otherMemory } from '../../targets/machine.js';
import { ChapterBuilder } from '../requirement.js';
import { over, pairNeeds, postcopyPair } from '../state-machine/pair.js';
import { postcopyNeeds } from '../state-machine/postcopy.js';
import { active, channel, peerNeeds, someRam, source } from '../state-machine/source.js';
import { Captured, captureNeeds, memory } from '../stream-format/capture.js';

const spec = 'commands.md §6';
const [limit, amount] = [2 ** 20, 420_000];
/** Bytes of memory of which what the slowest channel brings in the longest downtime is enough to switch over at once. */
const largest = 2 ** 25;
/**
 * Milliseconds in which so many bytes come at the least. A window is 100 ms and lets a tenth through. One more may have been
 * used at each end, and a page too much in each.
 */
const least = (amount / (limit / 10) - 2) * 100;

export const parameterEffects = new ChapterBuilder(['Effects', 'Parameters'], spec, peerNeeds)
  .must(
    'MIG-CMD-EFF.max-bandwidth',
    'no more goes over the channel than max-bandwidth lets through',
    async (t) => {
      const began = await firstBytes(t, limit, amount);
      const took = performance.now() - began;
      t.check(took >= least, `${amount} bytes in at least ${least.toFixed(0)} ms`, `${took.toFixed(0)} ms`);
    },
    { needs: { unless: otherMemory } },
  )
  .must('MIG-CMD-EFF.max-bandwidth-tiny', 'a max-bandwidth below 10 is no limit at all', async (t) => {
    const one = await source(t, 'answer', { ram: 1, parameters: { 'max-bandwidth': 9 } });
    await one.migrate();
    await one.until('completed');
    await one.statusIs('completed');
  })
  .must('MIG-CMD-EFF.downtime-limit', 'a large downtime-limit lets a slow migration switch over', async (t) => {
    // As much as takes longer than anybody waits, where a limit on bandwidth is not kept to the byte, too.
    const one = await active(t, { ram: 8 });
    const { ram } = await one.info();
    const total = isObject(ram) ? Number(ram.total) : 0;
    // A machine that has more memory than it was started with needs a channel that brings it in such a downtime.
    const faster = total > largest ? { 'max-bandwidth': Math.ceil(total / 500) } : {};
    await one.does('migrate-set-parameters', { 'downtime-limit': 2_000_000, ...faster });
    await one.until('completed');
    await one.statusIs('completed');
  })
  .must(
    'MIG-CMD-EFF.downtime-limit-kept',
    'no more is left for the downtime than downtime-limit takes at the bandwidth that there is',
    async (t) => {
      const parameters = { 'max-bandwidth': 2 ** 24, 'downtime-limit': 10 };
      const one = await Captured.open(t, { image: ramImage(memory), parameters });
      await one.migrates();
      await one.completes();
      const recording = one.recording();
      const left = recording.pages.filter(({ section }) => section === SectionType.end).length;
      // A window may let through somewhat more than its part, and a page or two.
      const most = (2 * parameters['max-bandwidth'] * parameters['downtime-limit']) / 1000 / 4096 + 16;
      t.check(left <= most, `${most.toFixed(0)} pages at most`, `${left}`, 'pages in the END section');
    },
    { lasting: true, needs: captureNeeds },
  )
  .must('MIG-CMD-EFF.downtime-limit-zero', 'a downtime-limit of 0 keeps nothing from completing', async (t) => {
    const one = await source(t, 'answer', { ram: 1, parameters: { 'downtime-limit': 0 } });
    await one.migrate();
    await one.until('completed');
    await one.statusIs('completed');
  })
  .must(
    'MIG-CMD-EFF.xbzrle-cache-size',
    'the size of the cache is shown, and a change of it as well',
    async (t) => {
      const one = await active(t, { capabilities: ['xbzrle'], parameters: { 'xbzrle-cache-size': 2 ** 20 } });
      const size = async () => {
        const { 'xbzrle-cache': cache } = await one.info();
        return isObject(cache) ? cache['cache-size'] : undefined;
      };
      t.equal(await size(), 2 ** 20, 'cache-size');
      await one.does('migrate-set-parameters', { 'xbzrle-cache-size': 2 ** 21 });
      t.equal(await size(), 2 ** 21, 'cache-size after the change');
    },
    { needs: { capabilities: ['xbzrle'], parameters: ['xbzrle-cache-size'] } },
  )
  .must(
    'MIG-CMD-EFF.max-postcopy-bandwidth',
    'the second half of a postcopy follows max-postcopy-bandwidth and not max-bandwidth',
    async (t) => {
      // What is left would take minutes with the bandwidth of the first half.
      const two = await postcopyPair(t, { parameters: { 'max-postcopy-bandwidth': 0 } });
      const { session } = two.source;
      const ids = [session.post('migrate', { uri: two.destination.uri }), session.post('migrate-start-postcopy')];
      for (const id of ids) t.succeeded(await session.reply(id));
      await two.source.until('postcopy-active');
      await over(two);
      await two.source.statusIs('completed');
    },
    { needs: { ...postcopyNeeds, ...pairNeeds } },
  )
  .must(
    'MIG-CMD-EFF.max-postcopy-bandwidth-kept',
    'in postcopy no more goes over the channel than max-postcopy-bandwidth lets through',
    async (t) => {
      const parameters = { 'max-bandwidth': 4096, 'max-postcopy-bandwidth': limit, 'downtime-limit': 0 };
      const one = await Captured.open(t, { image: ramImage(memory), capabilities: ['postcopy-ram'], parameters });
      const { session } = one;
      // From the request on: what comes of the postcopy may have waited for this process on a busy machine.
      const began = performance.now();
      const ids = [session.post('migrate', { uri: one.peer.uri }), session.post('migrate-start-postcopy')];
      for (const id of ids) t.succeeded(await session.reply(id));
      await one.peer.until('onward', session.deadline);
      const before = one.bytes().length;
      await one.arrives(`${amount} bytes`, () => one.bytes().length >= before + amount);
      const took = performance.now() - began;
      t.check(took >= least, `${amount} bytes in at least ${least.toFixed(0)} ms`, `${took.toFixed(0)} ms`);
    },
    { needs: { ...captureNeeds, ...postcopyNeeds, abilities: captureNeeds.abilities } },
  )
  .must(
    'MIG-CMD-EFF.multifd-channels',
    'multifd opens as many further channels as it is told to',
    async (t) => {
      for (const channels of [1, 3]) {
        const [capability, parameter] = multifd(t);
        const instance = await t.startForMigration({}, 'source');
        const session = await t.session({ to: instance });
        const set = { capabilities: [capability, 'events'].map((name) => ({ capability: name, state: true })) };
        t.succeeded(await session.command('migrate-set-capabilities', set), 'capabilities');
        t.succeeded(await session.command('migrate-set-parameters', { [parameter]: channels }), parameter);
        const peer = await channel(t, instance, 'answer');
        t.succeeded(await session.command('migrate', { uri: peer.uri }), 'migrate');
        await peer.until('connected', session.deadline, 1 + channels);
        await peer.until('end-of-stream', session.deadline);
        await session.fence();
        t.equal(peer.connections, 1 + channels, `connections with ${channels} channels`);
        t.succeeded(await session.command('migrate_cancel'), 'migrate_cancel');
      }
    },
    { needs: { unless: (facts) => (multifdNames(facts) === undefined ? 'no multifd' : undefined) } },
  )
  .must(
    'MIG-CMD-EFF.cpu-throttle',
    'a guest that writes nothing is not throttled',
    async (t) => {
      const one = await active(t, { capabilities: ['auto-converge'], parameters: { 'cpu-throttle-initial': 50 } });
      const info = await one.info();
      t.check(!('cpu-throttle-percentage' in info), 'no cpu-throttle-percentage', Object.keys(info).join(', '));
    },
    { needs: { capabilities: ['auto-converge'], parameters: ['cpu-throttle-initial'] } },
  )
  .done();

/** Begins a migration and waits for the first bytes of it; gives the time from before it began. */
async function firstBytes(t: Trial, limit: number, amount: number): Promise<number> {
  const instance = await t.start({ ramImage: ramImage(someRam) });
  const session = await t.session({ to: instance });
  t.succeeded(await session.command('migrate-set-parameters', { 'max-bandwidth': limit }), 'max-bandwidth');
  let read = 0;
  let enough = () => undefined as unknown;
  const arrived = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new DeadlinePassed(`${amount} bytes`, session.deadline)), session.deadline);
    enough = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  const peer = await channel(t, instance, 'answer', {
    tap: (_, chunk) => {
      read += chunk.length;
      if (read >= amount) enough();
    },
  });
  const began = performance.now();
  t.succeeded(await session.command('migrate', { uri: peer.uri }), 'migrate');
  await arrived;
  return began;
}

type Names = readonly [capability: string, parameter: string];

/** The names changed when they stopped being experimental. */
function multifdNames({ settings }: Pick<Trial['facts'], 'settings'>): Names | undefined {
  const all: readonly Names[] = [
    ['multifd', 'multifd-channels'],
    ['x-multifd', 'x-multifd-channels'],
  ];
  const listed = (settings?.capabilities ?? []).map((one) => (isObject(one) ? one.capability : undefined));
  return all.find(
    ([capability, parameter]) => listed.includes(capability) && parameter in (settings?.parameters ?? {}),
  );
}

const multifd = (t: Trial): Names => multifdNames(t.facts) ?? ['multifd', 'multifd-channels'];
