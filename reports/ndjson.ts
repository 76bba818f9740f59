/** The event stream as a file: one JSON object a line. Its schema is published beside this file. */
import { createRequire } from 'node:module';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { RunEvent } from '../oracle/run-events.js';
import { StreamGuard } from './guard.js';
import type { Report, Write } from './report.js';
import { GarbageLine, MissingHeader, type StreamError, UnknownVersion } from './stream-error.js';

/** Writes each event when it comes: whoever reads along sees the run live. */
export class NdjsonReport implements Report {
  constructor(private readonly write: Write) {}

  take(event: RunEvent): void {
    this.write(`${JSON.stringify(event)}\n`);
  }

  end(): void {}
}

/**
 * Reads a stream, event by event. What was good is yielded before the fault is thrown, so that a report of it can say
 * both.
 * @throws StreamError
 */
export function* readRunEvents(text: string): Generator<RunEvent, void> {
  const guard = new StreamGuard();
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const [i, line] of lines.entries()) {
    const last = i === lines.length - 1 && !text.endsWith('\n');
    const event = parseEvent(line, i + 1, last);
    guard.take(event, i + 1);
    yield event;
  }
  guard.end();
}

let validator: ValidateFunction | undefined;

function validate(): ValidateFunction {
  const schema = createRequire(import.meta.url)('./run-events.schema.json') as object;
  validator ??= new Ajv2020({ allErrors: false }).compile(schema);
  return validator;
}

function parseEvent(text: string, line: number, unfinished: boolean): RunEvent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new GarbageLine(line, unfinished ? 'it ends in the middle: the run was cut off' : 'it is not JSON');
  }
  const early = line === 1 ? strangeBeginning(value) : undefined;
  if (early !== undefined) throw early;
  const valid = validate();
  if (!valid(value)) throw new GarbageLine(line, `it is not a run event: ${faultOf(value, valid)}`);
  return value as RunEvent;
}

/** A first line that is no header of ours is named as that, and not by the member that it happens to lack. */
function strangeBeginning(value: unknown): StreamError | undefined {
  const { event, version } = (value ?? {}) as { event?: unknown; version?: unknown };
  if (event !== 'header') return new MissingHeader(1, typeof event === 'string' ? event : 'something else');
  return version === 1 ? undefined : new UnknownVersion(version, 1);
}

function faultOf(value: unknown, { errors }: ValidateFunction): string {
  const kind = (value as { event?: unknown } | null)?.event;
  const error = errors?.find(({ keyword }) => keyword !== 'if') ?? errors?.[0];
  const place = error?.instancePath.slice(1).replaceAll('/', '.') ?? '';
  return [typeof kind === 'string' ? `'${kind}'` : undefined, place === '' ? undefined : place, error?.message]
    .filter((word) => word !== undefined)
    .join(' ');
}
