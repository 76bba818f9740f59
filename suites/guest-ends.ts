/** A machine that a guest of its own brings to its end: it powers off, panics, or does what the emulator does not survive. */
import { isObject } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { TargetFacts } from '../targets/facts.js';
import { isOurMachine } from '../targets/machine.js';
import type { Instance } from '../targets/target.js';

/** Last words of an emulator whose processor cannot go on, and what is said where the host's cannot. */
const fatal = /^(?:qemu: fatal: (.*)|(KVM internal error\..*|KVM: entry failed.*))$/m;

/** Events that tell of an end that the guest asked for. */
const isFarewell = (entry: Entry): boolean => {
  const value = entry.kind === 'received' ? entryValue(entry) : undefined;
  if (!isObject(value)) return false;
  const byGuest = isObject(value.data) && value.data.guest === true;
  return value.event === 'GUEST_PANICKED' || (value.event === 'SHUTDOWN' && byGuest);
};

/** Why the end of an instance says nothing of its monitor; `undefined` where the guest had no part in it. */
export function guestEnds({
  transcript,
  facts,
  instances,
}: {
  readonly transcript: Transcript;
  readonly facts: TargetFacts;
  readonly instances: readonly Pick<Instance, 'exit' | 'stderr'>[];
}): string | undefined {
  if (isOurMachine(facts)) return undefined;
  for (const { stderr } of instances) {
    const [, emulator, host] = fatal.exec(stderr) ?? [];
    const words = emulator ?? host;
    if (words !== undefined) return `the guest of a ${facts.machine} brought it to a stop: ${words}`;
  }
  const left = instances.some(({ exit }) => exit?.code === 0) && transcript.entries.some(isFarewell);
  return left ? `the guest of a ${facts.machine} ended it` : undefined;
}
