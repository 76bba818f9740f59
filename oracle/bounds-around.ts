/** What the ends of a migration channel tell of each other. */
import type { JudgedProcess } from './judged-process.js';
import { type Bounds, boundsOfDestination, boundsOfPeer, boundsOfSource, type Channels } from './surroundings.js';
import type { Tracker } from './tracker/tracker.js';

/** States of one process that what is known of another one excludes. */
export interface Bounded {
  readonly tracker: Tracker;
  readonly bounds: Bounds;
}

/**
 * How a process that has just shown something, and those that migrate to it, are bound by what is at the other end. Each is
 * worked out when it is asked for: the one before may have changed what it goes by.
 */
export function* boundsAround(
  process: JudgedProcess,
  all: readonly JudgedProcess[],
  channels: Channels,
): Generator<Bounded> {
  const { tracker } = process;
  if (tracker === undefined) return;
  const listeners = (uri: string) => all.filter(({ roles }) => roles.listens.has(uri));
  const { attempt } = process.roles;
  if (attempt !== undefined) {
    const destinations = listeners(attempt.uri);
    const channel = destinations.length === 0 ? channels.at(attempt.uri) : undefined;
    if (channel !== undefined && channel === attempt.channel) {
      yield { tracker, bounds: boundsOfPeer(channel, attempt.tampered) };
    }
    const [destination] = destinations;
    if (destinations.length === 1 && attempt.first && destination !== process && destination?.tracker !== undefined) {
      yield { tracker, bounds: boundsOfDestination(destination.tracker) };
    }
  }
  for (const uri of process.roles.listens) {
    const sources = all.filter(({ roles }) => roles.attempt?.uri === uri);
    const [source] = sources;
    const judged = listeners(uri).length === 1 && sources.length === 1 && source?.roles.attempt?.first;
    if (judged && source !== process && source.tracker !== undefined) {
      yield { tracker, bounds: boundsOfSource(source.tracker) };
    }
  }
}
