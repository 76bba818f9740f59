/** Destinations fed by hand as far as their guest runs and their memory is still to come. */
import type { Trial } from '../../oracle/trial.js';
import { type Destination, feedNeeds, postcopyDestination } from './destination.js';
import { Feed } from './feed.js';

export const incomingPostcopyNeeds = {
  abilities: [...feedNeeds.abilities, 'exit'],
  capabilities: ['postcopy-ram'],
  commands: ['migrate-pause', 'migrate-recover'],
} as const;

type Both = readonly [Destination, Feed];

/** A destination whose guest runs and whose memory is still to come. */
export async function running(t: Trial, start = {}): Promise<Both> {
  const one = await postcopyDestination(t, { start });
  const feed = await one.loads();
  one.turn();
  feed.postcopy().package('POSTCOPY_LISTEN', 'POSTCOPY_RUN').send('the switch');
  await one.until('postcopy-active');
  await one.runs('paused' in start ? 'paused' : 'running');
  return [one, feed];
}

/** The same, with its channel lost. */
export async function lost(t: Trial): Promise<Both> {
  const both = await running(t);
  const [one, feed] = both;
  feed.close();
  await one.until('postcopy-paused');
  one.turn();
  return both;
}

/** The same, with a new connection in place of the lost one. */
export async function recovering(t: Trial): Promise<Both> {
  const both = await lost(t);
  const [one] = both;
  const path = `${one.instance.scratch}/again.sock`;
  await one.does('migrate-recover', { uri: `unix:${path}` });
  const feed = await Feed.open(t, path, 'again');
  if (t.dialect.migration.activeWithBytes) {
    feed.writer.ping(1);
    feed.send('a ping: it waits for the first bytes');
  }
  await one.until('postcopy-recover');
  return [one, feed];
}
