/** What a trial has changed on an instance, as far as its own commands tell: only that is put back and asked for after it. */
import { isObject, type JsonValue, parseJson, stringifyJson } from '../protocol/json.js';
import type { Received } from '../protocol/message.js';
import type { Transcript } from '../protocol/transcript.js';

/** A piece of what an instance shows that commands change. */
export type Piece = 'parameters' | 'capabilities' | 'run state' | 'outcome';

export interface Touched {
  /** What may be different, also by a command that was refused. */
  readonly pieces: ReadonlySet<Piece>;
  /** Names of parameters and capabilities for which values were taken. */
  readonly parameters: ReadonlySet<string>;
  readonly capabilities: ReadonlySet<string>;
  /** Those of the pieces in which more may be different than these names, so that one has to look. */
  readonly doubtful: ReadonlySet<Piece>;
}

/** Commands after which nothing is different. */
export const harmless = /^(query-.*|qmp_capabilities)$/;

/** Further commands after which it is known what may be. */
const pieces: Readonly<Partial<Record<string, readonly Piece[]>>> = {
  'migrate-set-parameters': ['parameters'],
  'migrate-set-capabilities': ['capabilities'],
  'migrate-set-cache-size': ['parameters'],
  migrate_set_speed: ['parameters'],
  migrate_set_downtime: ['parameters'],
  stop: ['run state'],
  cont: ['run state'],
  system_reset: ['run state'],
  migrate: ['run state', 'outcome'],
  migrate_cancel: ['run state', 'outcome'],
  'migrate-continue': ['run state', 'outcome'],
  'migrate-start-postcopy': ['run state', 'outcome'],
  'migrate-pause': ['run state', 'outcome'],
};

/** Lines that were sent to an endpoint and to its further monitors; one command may have been sent in several pieces. */
export function sentLines(transcript: Transcript, endpoint: string): string[] {
  const sent = new Map<string, string>();
  for (const { kind, at, text } of transcript.entries) {
    if (kind !== 'sent' || (at !== endpoint && !at.startsWith(`${endpoint}#`))) continue;
    sent.set(at, `${sent.get(at) ?? ''}${text}`);
  }
  return [...sent.values()].flatMap((text) => text.split('\n')).filter((line) => line.trim() !== '');
}

/** Ids that errors answer, and nothing else. */
export function refusedIds(replies: readonly Received[]): ReadonlySet<string> {
  const ids = (wanted: boolean) =>
    replies.flatMap(({ kind, value }) =>
      (kind === 'failure') === wanted && isObject(value) && value.id !== undefined ? [stringifyJson(value.id)] : [],
    );
  const answered = new Set(ids(false));
  return new Set(ids(true).filter((id) => !answered.has(id)));
}

/** `undefined` where something was sent of which that is not known. */
export function touchedBy(lines: readonly string[], refused: ReadonlySet<string>): Touched | undefined {
  const touched = {
    pieces: new Set<Piece>(),
    parameters: new Set<string>(),
    capabilities: new Set<string>(),
    doubtful: new Set<Piece>(),
  };
  for (const line of lines) {
    const said = commandIn(line);
    if (said === undefined) return undefined;
    const { name, args, id } = said;
    if (harmless.test(name)) continue;
    const isRefused = id !== undefined && refused.has(stringifyJson(id));
    // What one that is refused might still have done is of another kind than settings.
    const changes = pieces[name] ?? (isRefused ? ['run state', 'outcome'] : undefined);
    if (changes === undefined) return undefined;
    for (const piece of changes) touched.pieces.add(piece);
    const names = isRefused ? undefined : namesIn(name, args);
    if (names === undefined) for (const piece of changes) touched.doubtful.add(piece);
    for (const one of names ?? []) {
      touched[name === 'migrate-set-parameters' ? 'parameters' : 'capabilities'].add(one);
    }
  }
  return touched;
}

/** Names of the parameters or capabilities that a command sets; `undefined` where it is not one that says so. */
function namesIn(command: string, args: JsonValue | undefined): readonly string[] | undefined {
  if (!isObject(args)) return undefined;
  if (command === 'migrate-set-parameters') return Object.keys(args);
  if (command !== 'migrate-set-capabilities' || !Array.isArray(args.capabilities)) return undefined;
  const names = args.capabilities.map((one) => (isObject(one) ? one.capability : undefined));
  return names.every((one) => typeof one === 'string') ? names : undefined;
}

function commandIn(line: string) {
  try {
    const value = parseJson(line);
    if (!isObject(value)) return undefined;
    const name = value.execute ?? value['exec-oob'];
    return typeof name === 'string' ? { name, args: value.arguments, id: value.id } : undefined;
  } catch {
    return undefined;
  }
}
