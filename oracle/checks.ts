/** What a trial checks: each check counts, keeps what it would have accepted, and throws a {@link Divergence} where it fails. */
import { isObject, type JsonObject, type JsonValue, sameJson, stringifyJson } from '../protocol/json.js';
import type { Received } from '../protocol/message.js';
import type { Transcript } from '../protocol/transcript.js';
import type { TargetFacts } from '../targets/facts.js';
import { Divergence } from './divergence.js';
import { membersBeyond } from './members-beyond.js';
import { brief, type Expected, meets, type Pattern, wordOfEvent, wordsOf } from './patterns.js';
import { hasDefect } from './release.js';

export abstract class Checks {
  /** What each check would have accepted, in order. */
  readonly accepted: { readonly expected: readonly string[]; readonly step?: string }[] = [];
  /** Checks made so far; a requirement that ends with none is vacuous. */
  checks = 0;
  /** The first known defect that the target has shown; what conforms otherwise is then told as that. */
  defect: string | undefined;
  abstract readonly transcript: Transcript;
  abstract readonly facts: TargetFacts;
  /** Texts for people are compared too. */
  abstract readonly strictDesc: boolean;

  /** The general check: when `holds` is false, the divergence lists what was permitted and what came. */
  check(holds: boolean, expected: string | readonly string[], got: string | Received | undefined, step?: string): void {
    this.checks++;
    const all = typeof expected === 'string' ? [expected] : expected;
    this.accepted.push({ expected: all, ...(step === undefined ? {} : { step }) });
    if (holds) return;
    throw this.divergence(all, got, step);
  }

  protected divergence(expected: readonly string[], got: string | Received | undefined, step?: string): Divergence {
    const entry = typeof got === 'object' ? got.entry : this.transcript.entries.at(-1)?.n;
    return new Divergence({
      expected,
      got: typeof got === 'string' ? got : brief(got),
      ...(step === undefined ? {} : { step }),
      ...(entry === undefined ? {} : { entry }),
    });
  }

  /** `message` matches one of the patterns. Returns it. */
  matches(message: Received | undefined, ...patterns: readonly [Pattern, ...Pattern[]]): Received {
    const holds = message !== undefined && patterns.some((pattern) => pattern.test(message, this));
    this.check(
      holds,
      patterns.map((pattern) => pattern.words),
      message,
    );
    return message as Received;
  }

  /** The messages are exactly one of the permitted sequences, in order. */
  sequence(messages: readonly Received[], ...permitted: readonly (readonly Pattern[])[]): void {
    // How many messages from the first on are as one of the sequences has them.
    const prefixes = permitted.map((patterns) => {
      const wrong = messages.findIndex((message, i) => !patterns[i]?.test(message, this));
      return wrong < 0 ? messages.length : wrong;
    });
    const expected = permitted.map((patterns) =>
      patterns.length === 0 ? 'nothing' : patterns.map((pattern) => pattern.words).join(', then '),
    );
    this.checks++;
    this.accepted.push({ expected });
    if (permitted.some((patterns, i) => patterns.length === messages.length && prefixes[i] === messages.length)) return;
    const got = messages.length === 0 ? 'nothing' : messages.map((message) => brief(message, 120)).join(' · ');
    const wrong = messages[Math.max(0, ...prefixes)] ?? messages.at(-1);
    const entry = wrong?.entry ?? this.transcript.entries.at(-1)?.n;
    throw new Divergence({ expected, got, ...(entry === undefined ? {} : { entry }) });
  }

  /** The reply is a success; gives back its return value. */
  succeeded(message: Received, step?: string): JsonValue {
    this.check(message.kind === 'success', 'a success reply', message, step);
    return (message.value as JsonObject).return as JsonValue;
  }

  /** The reply is an error of this class; the texts of `desc` are compared in strict mode only. */
  failed(message: Received, errorClass: string, desc?: string | readonly string[] | RegExp, step?: string): void {
    const error = isObject(message.value) ? message.value.error : undefined;
    const classHolds = message.kind === 'failure' && isObject(error) && error.class === errorClass;
    const permitted = desc === undefined ? [] : typeof desc === 'string' || desc instanceof RegExp ? [desc] : desc;
    this.check(classHolds, `an error of class ${errorClass}`, message, step);
    if (!this.strictDesc || permitted.length === 0) return;
    const text = String((error as JsonObject).desc);
    const descHolds = permitted.some((one) => (one instanceof RegExp ? one.test(text) : one === text));
    this.check(
      descHolds,
      permitted.map((one) => `desc ${one instanceof RegExp ? one : stringifyJson(one)}`),
      message,
      step,
    );
  }

  /** A value is what it must be. */
  equal(got: JsonValue | undefined, expected: Expected, step: string): void {
    this.check(
      got !== undefined && meets(got, expected),
      wordsOf(expected),
      got === undefined ? 'no such member' : stringifyJson(got),
      step,
    );
  }

  /** An object has exactly these members. */
  members(object: JsonValue | undefined, required: readonly string[], optional: readonly string[], step: string): void {
    const names = isObject(object) ? Object.keys(object) : [];
    const missing = required.filter((name) => !names.includes(name));
    const extra = names.filter((name) => !required.includes(name) && !optional.includes(name));
    const words = `the members ${required.join(', ') || 'none'}${optional.length === 0 ? '' : ` and perhaps ${optional.join(', ')}`}`;
    const got = isObject(object) ? names.join(', ') || 'no members' : stringifyJson(object ?? null);
    this.check(isObject(object) && missing.length === 0 && extra.length === 0, words, got, step);
  }

  /**
   * What a command returned, or an object in it, has exactly these members. What the target's own schema has there beyond
   * every dialect is an extension, which a client passes over.
   */
  returned(
    command: string,
    object: JsonValue | undefined,
    required: readonly string[],
    optional: readonly string[] = [],
    step = command,
  ): void {
    const beyond = membersBeyond(this.facts.schema, command);
    const extensions = isObject(object) ? Object.keys(object).filter((name) => beyond.has(name)) : [];
    this.members(object, required, [...optional, ...extensions], step);
  }

  /** No message at all. */
  silent(messages: readonly Received[], step: string): void {
    this.check(messages.length === 0, 'nothing', messages[0] ?? 'nothing', step);
  }

  /** Names of the events among the messages, in order, `MIGRATION` with its status: `MIGRATION(active)`. */
  eventNames(messages: readonly Received[]): string[] {
    return messages.flatMap((message) => wordOfEvent(message) ?? []);
  }

  /** Two values are equal. */
  same(a: JsonValue | undefined, b: JsonValue | undefined, step: string): void {
    const holds = a !== undefined && b !== undefined && sameJson(a, b);
    this.check(holds, stringifyJson(b ?? null), stringifyJson(a ?? null), step);
  }

  /**
   * What came instead of `expected` is a known defect of releases (commands.md §17). Where the target's release has it, the
   * trial goes on and is told as "known defect" at its end; for any other target it is a divergence.
   */
  knownDefect(
    id: string,
    expected: string | readonly string[],
    got: string | Received | undefined,
    step?: string,
  ): void {
    this.check(hasDefect(this.facts, id), expected, got, step);
    this.defect ??= id;
  }
}
