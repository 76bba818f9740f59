/** The machine of a target. Streams of ours are those of the machine that targets are started with, and of no other. */
import { isObject, type JsonValue } from '../protocol/json.js';
import type { Session } from '../protocol/session.js';
import type { TargetFacts } from './facts.js';
import { NotOffered } from './target.js';

/** The machine of `-M none`. */
export const ourMachine = 'none-machine';

/** Whether a target is started as the machine that our streams are of. */
export const isOurMachine = ({ machine = ourMachine }: TargetFacts): boolean => machine === ourMachine;

/** The type of the machine object; `undefined` where it cannot be read. */
export async function machineOf(session: Session): Promise<string | undefined> {
  const { value } = await session.command('qom-get', { path: '/machine', property: 'type' });
  return isObject(value) && typeof value.return === 'string' ? value.return : undefined;
}

/** @throws NotOffered where the target is started as another machine: its streams have other blocks and devices. */
export function needsOurMachine({ machine = ourMachine }: TargetFacts): void {
  if (machine === ourMachine) return;
  throw new NotOffered(`it is started as a ${machine}, streams of ours are those of a ${ourMachine}`);
}

/** Why nothing is told from what we put into the memory of a target; `undefined` where its machine is ours. */
export function otherMemory({ machine = ourMachine }: TargetFacts): string | undefined {
  if (machine === ourMachine) return undefined;
  return `it is started as a ${machine}: where its RAM lies, and what else writes there, is its own affair`;
}

/** A guest of another machine may start anew by itself: its firmware does where it finds nothing to boot. */
export function isOfGuest(name: string, data: JsonValue | undefined, { machine = ourMachine }: TargetFacts): boolean {
  return machine !== ourMachine && name === 'RESET' && isObject(data) && data.guest === true;
}
