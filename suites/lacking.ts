/** What a requirement that did not hold had asked for and the target does not offer. */
import { isObject } from '../protocol/json.js';
import { type Entry, entryValue } from '../protocol/transcript.js';
import { loadSchema } from '../reference/schema/index.js';
import type { TargetFacts } from '../targets/facts.js';

/** Names in what was sent that are asked for as commands, in either kind of quotes. */
const requested = /["']exec(?:ute|-oob)["']\s*:\s*["']([\w-]+)["']/g;

/** With what was escaped by number written out. */
const plain = (text: string): string =>
  text.replace(/\\u00([0-7][0-9a-f])/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

/**
 * The first command that was asked for, that its release has, that the target offers nowhere (neither in `query-commands` nor in its
 * schema), and that it refused as unknown: what came of that shows nothing about the rest of the requirement. Undefined when
 * there is none; a command that the target does list and refuses is a fault like any other.
 */
export function commandThatLacks(
  entries: readonly Entry[],
  { commands, schema, dialect }: TargetFacts,
): string | undefined {
  if (!entries.some(isCommandNotFound)) return undefined;
  // A schema that stands in says nothing of the target, where the target itself lists what it has.
  const described = commands === undefined || schema.origin === 'introspection' ? schema.commands : new Map();
  // What its release has dropped is asked for to see that it is gone, and is no excuse for anything.
  const known = loadSchema(dialect.name);
  for (const { kind, text } of entries) {
    if (kind !== 'sent') continue;
    for (const [, name = ''] of plain(text).matchAll(requested)) {
      const offered = commands?.has(name) || described.has(name);
      if (!offered && known.commands.has(name)) return name;
    }
  }
  return undefined;
}

function isCommandNotFound(entry: Entry): boolean {
  if (entry.kind !== 'received') return false;
  const value = entryValue(entry);
  const error = isObject(value) ? value.error : undefined;
  return isObject(error) && error.class === 'CommandNotFound';
}
