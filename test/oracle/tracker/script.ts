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
 * Builds the transcript of one process or several. Lines: `> NAME {args}` sends a command (`>>` out of band), `< {}` or `< !Class` is the next
 * reply, `M status`, `P n`, `S`, `R` are events, `dropped` tells that the last command was thrown away, `exit N`, `says TEXT` (on standard
 * error), `die SIGNAL`; `wait N` lets so many milliseconds pass; `@NAME` goes on at another endpoint, which is started
 * and connected at its first use (`@source#2` is only connected); `channel TEXT` is a fact about a channel of ours.
 */
export class Script {
  private time = 0;
  readonly transcript = new Transcript({}, { now: () => this.time });
  private at = 'source';
  private readonly dropped = new Set<number>();
  private readonly counts = new Map<string, { sent: number; answered: number }>();

  /** @param oob commands can be sent out of band: `>> NAME` */
  constructor(
    start: StartOptions = {},
    private readonly oob = false,
  ) {
    this.go('source', start);
  }

  private go(at: string, start: StartOptions): void {
    this.at = at;
    if (this.counts.has(at)) return;
    this.counts.set(at, { sent: 0, answered: 0 });
    if (!at.includes('#')) this.transcript.add(at, 'started', stringifyJson(start));
    this.transcript.add(at, 'connected', '');
    this.received(greeting);
    this.lines(`> qmp_capabilities${this.oob ? ' {"enable":["oob"]}' : ''}`, '< {}');
  }

  private get count(): { sent: number; answered: number } {
    return this.counts.get(this.at) ?? { sent: 0, answered: 0 };
  }

  lines(...lines: readonly string[]): this {
    for (const line of lines) this.line(line);
    return this;
  }

  private line(line: string): void {
    const [word = '', ...rest] = line.split(' ');
    const text = rest.join(' ');
    if (word.startsWith('@')) {
      this.go(word.slice(1), word === '@destination' ? { incoming: 'defer' } : {});
      return;
    }
    switch (word) {
      case 'channel':
        this.transcript.add('channel x', 'channel', text);
        return;
      case '>':
      case '>>': {
        const [name = '', ...args] = rest;
        const given = args.length === 0 ? {} : { arguments: JSON.parse(args.join(' ')) as unknown };
        const command = { [word === '>' ? 'execute' : 'exec-oob']: name, ...given, id: ++this.count.sent };
        this.transcript.add(this.at, 'sent', `${stringifyJson(command)}\n`);
        return;
      }
      case '<': {
        let id = ++this.count.answered;
        while (this.dropped.has(id)) id = ++this.count.answered;
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
        this.event(rest[0] ?? '', rest[1] === undefined ? undefined : (JSON.parse(rest[1]) as object));
        return;
      case 'dropped':
        this.dropped.add(this.count.sent);
        this.event('COMMAND_DROPPED', { id: this.count.sent, reason: 'queue-full' });
        return;
      case 'wait':
        this.time += Number(text);
        return;
      case 'exit':
        this.transcript.add(this.at, 'exited', `exit status ${text}`);
        return;
      case 'says':
        this.transcript.add(this.at, 'stderr', text);
        return;
      case 'die':
        this.transcript.add(this.at, 'exited', `killed by ${text}`);
        return;
      default:
        throw new Error(`unknown line '${line}'`);
    }
  }

  private event(event: string, data?: object): void {
    this.received({ event, timestamp, ...(data === undefined ? {} : { data }) });
  }

  private received(value: unknown): void {
    this.transcript.add(this.at, 'received', stringifyJson(value));
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
/** A source that iterates. */
export const begun = [eventsOn, '< {}', migrateTo, 'M setup', '< {}', 'P 1', 'M active'] as const;
