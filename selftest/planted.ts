/** What can be planted: the faults of the reference, and the lies between the suite and another monitor. */
import { faults } from '../reference/faults/index.js';
import { caughtBy } from '../test/lying-monitors/caught-by.js';
import { detours } from '../test/lying-monitors/detour.js';
import { huntedBy } from '../test/lying-monitors/hunted-by.js';
import { lies } from '../test/lying-monitors/lies.js';
import { canBeTold } from '../test/lying-monitors/planted-lie.js';

/** What is planted, whatever it is. */
export interface Wrong {
  readonly title: string;
  readonly area: string;
  /** Rows of the specification that it violates. */
  readonly rows: readonly string[];
  /** The requirement of its row is the only one to which it shows. */
  readonly alone?: true;
}

const lie = 'lie:';
const catchers = { ...caughtBy, ...huntedBy };

/** By name; a lie is called `lie:NAME`. */
export function wrongNamed(name: string): Wrong | undefined {
  if (!name.startsWith(lie)) return faults.get(name);
  const id = catchers[name.slice(lie.length)];
  const told = lies[name.slice(lie.length)];
  return id === undefined || told === undefined
    ? undefined
    : { title: told.says, area: 'lie', rows: [id], ...(told.alone === undefined ? {} : { alone: told.alone }) };
}

/** The honest counterpart of what is told between the suite and a QEMU: streams go the same way. */
export function truthOf(name: string): string {
  const told = lies[name.slice(lie.length)];
  return name.startsWith(lie) && told !== undefined && detours(told) ? `${lie}truth-by-relay` : `${lie}truth`;
}

/** What can be planted in the reference, or between the suite and a QEMU: there only what is said can be changed. */
export function plantable(qemu: boolean, liesOnly = false): string[] {
  const told = Object.keys(catchers).map((name) => `${lie}${name}`);
  if (liesOnly) return told;
  return qemu
    ? [...told, ...[...faults].flatMap(([name, fault]) => (canBeTold(fault) ? [name] : []))]
    : [...faults.keys()];
}
