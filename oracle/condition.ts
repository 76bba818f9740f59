/** In which condition an instance is that has served a trial. */
import type { Received } from '../protocol/message.js';
import type { Session } from '../protocol/session.js';
import { Transcript } from '../protocol/transcript.js';
import type { TargetFacts } from '../targets/facts.js';
import { type Condition, type InstancePool, isPlain } from '../targets/pool.js';
import type { Instance, StartOptions } from '../targets/target.js';
import { leftBehind, restore } from './pristine.js';

export interface Served {
  /** Its endpoint in the transcript. */
  readonly name: string;
  readonly transcript: Transcript;
  /** What was answered there. */
  readonly replies: readonly Received[];
  /** An orderly session of the trial with it, if one is open. */
  readonly session: Session | undefined;
  readonly pool: InstancePool;
  readonly facts: TargetFacts;
}

/** Of each pool, which settings its target was seen to put back. */
const putBack = new WeakMap<InstancePool, Set<string>>();

/** What an instance is like after a trial; `undefined` when it cannot be brought to be as it was. */
export async function conditionAfter(instance: Instance, served: Served): Promise<Condition | undefined> {
  const { name, transcript, replies, session, pool, facts } = served;
  if (instance.exit !== undefined || !reusable(instance.options)) return undefined;
  const before = pool.conditionOf(instance) ?? 'new';
  const { traces, touched } = leftBehind(transcript, name, replies);
  if (traces === 'none') return before;
  const { settings } = facts;
  // An instance that we did not start cannot be replaced: it is put back as far as commands can do it.
  const replaceable = pool.target.lacks('start') === undefined;
  // Of what was done with other options than these nobody would make use.
  if (settings === undefined || (traces === 'any' && replaceable && !isPlain(instance.options))) return undefined;
  // What is said to put it back is not part of the trial.
  instance.record(new Transcript(), name);
  if (session !== undefined) session.transcript = new Transcript();
  const believed = putBack.get(pool) ?? new Set();
  putBack.set(pool, believed);
  const now = await restore(instance, settings, {
    believed,
    ...(traces === 'postcopy' ? { ends: new Set(['completed']) } : {}),
    still: traces === 'restorable' && (before === 'new' || touched?.pieces.has('outcome') === false),
    touched,
    ...(session === undefined ? {} : { session }),
  });
  // It was told to migrate and shows nothing of it: who knows what else it does not show.
  if ((traces === 'migrations' || traces === 'postcopy') && now === 'new') return undefined;
  if (now === undefined) return undefined;
  if ((traces === 'any' && replaceable) || before === 'worn') return 'worn';
  return before === 'migrated' ? before : now;
}

/**
 * Whether an instance with these options can serve again: one with arguments of a requirement's own may be anything, one that
 * waits at an address may have been connected to, and standard input serves one connection only.
 */
export const reusable = ({ extra = [], incoming = 'defer', monitors = [] }: StartOptions): boolean =>
  extra.length === 0 && incoming === 'defer' && monitors.every(({ transport }) => transport !== 'stdio');
