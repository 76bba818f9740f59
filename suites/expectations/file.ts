/** The expectations file: what is known to go wrong with a target. Its JSON Schema is published beside this file. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { closest } from 'fastest-levenshtein';
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { ExpectationKind } from '../../oracle/run-events.js';
import { whyUnreadable } from '../../targets/file-errors.js';

export interface Expectation {
  /** Requirement by id, with wildcards; absent for a finding. */
  readonly id?: string;
  readonly kind: ExpectationKind;
  /** What the failure must be known by; any failure when absent. */
  readonly signature?: string;
  readonly reason: string;
  readonly ticket?: string;
  /** Last day on which the entry holds, `YYYY-MM-DD` in UTC. */
  readonly expires?: string;
}

export interface Expectations {
  /** As it was named, for messages. */
  readonly file: string;
  readonly entries: readonly Expectation[];
  /** Line of each entry, from 1. */
  readonly lines: readonly number[];
}

/** An expectations file that cannot be used: exit code 2. */
export class ExpectationsError extends Error {
  override readonly name = 'ExpectationsError';
}

const schema = createRequire(import.meta.url)('./expectations.schema.json') as object;

let validator: ValidateFunction | undefined;

/** @throws ExpectationsError naming file, line and path */
export function loadExpectations(file: string): Expectations {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ExpectationsError(`${file}: ${whyUnreadable(error)}`);
  }
  return parseExpectations(text.replace(/^\uFEFF/, ''), file);
}

/** @throws ExpectationsError naming file, line and path */
export function parseExpectations(text: string, file: string): Expectations {
  const lineAt = (offset: number) => text.slice(0, offset).split('\n').length;
  const faults: ParseError[] = [];
  const tree = parseTree(text, faults, { disallowComments: true, allowTrailingComma: false });
  const [fault] = faults;
  if (fault !== undefined || tree === undefined) {
    const what = fault === undefined ? 'it is empty' : printParseErrorCode(fault.error);
    throw new ExpectationsError(`${file}:${lineAt(fault?.offset ?? 0)}: not JSON: ${inWords(what)}`);
  }
  const value: unknown = JSON.parse(text);
  validator ??= new Ajv2020({ allErrors: true, verbose: true }).compile(schema);
  const validate = validator;
  const line = (path: readonly (string | number)[]) => lineAt((nearest(tree, path) ?? tree).offset);
  if (!validate(value)) throw new ExpectationsError(explain(worst(validate.errors ?? []), file, line));
  const entries = (value as { expectations: Expectation[] }).expectations;
  const undated = entries.findIndex(({ expires }) => expires !== undefined && !isDay(expires));
  if (undated >= 0) {
    const path = ['expectations', undated, 'expires'];
    throw new ExpectationsError(`${file}:${line(path)}: expectations[${undated}].expires: there is no such day`);
  }
  return { file, entries, lines: entries.map((_, i) => line(['expectations', i])) };
}

/** The node of a path, or of the longest part of it that there is. */
function nearest(tree: Node, path: readonly (string | number)[]): Node | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node = findNodeAtLocation(tree, path.slice(0, length));
    if (node !== undefined) return node;
  }
  return undefined;
}

/** A misspelt member is the cause of the missing one. */
function worst(errors: readonly ErrorObject[]): ErrorObject {
  const told = errors.filter(({ keyword }) => keyword !== 'if');
  return (told.find(({ keyword }) => keyword === 'additionalProperties') ?? told[0]) as ErrorObject;
}

const kinds: Readonly<Record<string, string>> = { object: 'an object', array: 'a list', string: 'a text' };

/** Whether a calendar has such a day. */
function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

const inWords = (code: string): string => code.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();

function explain(error: ErrorObject, file: string, line: (path: readonly (string | number)[]) => number): string {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~')));
  const where = path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
  const at = (more: readonly (string | number)[] = []) => `${file}:${line([...path, ...more])}: ${where || 'the file'}`;
  if (error.keyword === 'additionalProperties') {
    const name = String((error.params as { additionalProperty: string }).additionalProperty);
    const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
    return `${at([name])} has the unknown member '${name}'; did you mean '${closest(name, known)}'?`;
  }
  if (error.keyword === 'enum') {
    const known = (error.params as { allowedValues: string[] }).allowedValues;
    const value = String(error.data);
    return `${at()} is '${value}'; did you mean '${closest(value, known)}'? It is one of ${known.join(', ')}`;
  }
  if (error.keyword === 'pattern' && path.at(-1) === 'expires') return `${at()} must be a date as in 2027-01-31`;
  if (error.keyword === 'pattern' || error.keyword === 'minLength') return `${at()} must not be blank`;
  if (error.keyword === 'const') return `${at()} is ${JSON.stringify(error.data)}; this program reads ${error.schema}`;
  if (error.keyword === 'type') return `${at()} must be ${kinds[String(error.schema)] ?? error.schema}`;
  return `${at()} ${error.message}`;
}
