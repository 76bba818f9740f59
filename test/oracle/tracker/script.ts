/** Transcripts written by hand, in a notation close to the specification's, for tests of the judge. */

import { type Judgement, judgeTranscript } from '../../../oracle/judge.js';
import { stringifyJson } from '../../../protocol/json.js';
import { Transcript } from '../../../protocol/transcript.js';
import { type DialectName, dialects } from '../../../reference/dialects/dialect.js';
import { loadSchema } from '../../../reference/schema/index.js';
import type { StartOptions } from '../../../targets/target.js';

const greeting = { QMP: { version: { qemu: { major: 7, minor: 2, micro: 0 }, package: '' }, capabilities: [] } };
const timestamp = { seconds: 1, microseconds: 2 };

/**
 * Builds the transcript of one process. Lines: `> NAME {args}` sends a command, `< {}` or `< !Class` is the next reply,
 * `M status`, `P n`, `S`, `R` are events, `exit N`, `die SIGNAL`.
 */
export class Script {
  readonly transcript = new Transcript();
  private sent = 0;
  private answered = 0;

  constructor(start: StartOptions = {}) {
    this.transcript.add('source', 'started', stringifyJson(start));
    this.transcript.add('source', 'connected', '');
    this.received(greeting);
    this.lines('> qmp_capabilities', '< {}');
  }

  lines(...lines: readonly string[]): this {
    for (const line of lines) this.line(line);
    return this;
  }

  private line(line: string): void {
    const [word = '', ...rest] = line.split(' ');
    const text = rest.join(' ');
    switch (word) {
      case '>': {
        const [name = '', ...args] = rest;
        const given = args.length === 0 ? {} : { arguments: JSON.parse(args.join(' ')) as unknown };
        this.transcript.add('source', 'sent', `${stringifyJson({ execute: name, ...given, id: ++this.sent })}\n`);
        return;
      }
      case '<': {
        const id = ++this.answered;
        this.received(
          text.startsWith('!')
            ? { id, error: { class: text.slice(1), desc: '' } }
            : { id, return: JSON.parse(text) as unknown },
        );
        return;
      }
      case 'M':
        this.event('MIGRATION', { status: text });
        return;
      case 'P':
        this.event('MIGRATION_PASS', { pass: Number(text) });
        return;
      case 'S':
        this.event('STOP');
        return;
      case 'R':
        this.event('RESUME');
        return;
      case 'E':
        this.event(text);
        return;
      case 'exit':
        this.transcript.add('source', 'exited', `exit status ${text}`);
        return;
      case 'die':
        this.transcript.add('source', 'exited', `killed by ${text}`);
        return;
      default:
        throw new Error(`unknown line '${line}'`);
    }
  }

  private event(event: string, data?: object): void {
    this.received({ event, timestamp, ...(data === undefined ? {} : { data }) });
  }

  private received(value: unknown): void {
    this.transcript.add('source', 'received', stringifyJson(value));
  }

  judge(dialect: DialectName = '3.0', defects: readonly string[] = []): Judgement {
    return judgeTranscript(this.transcript, {
      dialect: dialects[dialect],
      schema: loadSchema(dialect),
      defects: new Set(defects),
    });
  }
}

export const eventsOn = '> migrate-set-capabilities {"capabilities":[{"capability":"events","state":true}]}';
export const capabilityOn = (name: string) =>
  `> migrate-set-capabilities {"capabilities":[{"capability":"${name}","state":true}]}`;
export const migrateTo = '> migrate {"uri":"unix:/run/x"}';
