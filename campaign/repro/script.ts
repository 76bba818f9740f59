/**
 * A finding as a shell script that needs nothing of ours: a POSIX shell, socat and the target. What a shell cannot do is said in
 * the script where it would be.
 */
import { stringifyJson } from '../../protocol/json.js';
import { dialects } from '../../reference/dialects/dialect.js';
import type { StreamRules } from '../../reference/dialects/stream.js';
import type { Step } from '../../targets/scenario.js';
import type { CaseFile } from '../case-file.js';
import { library } from './library.js';
import { octal, peerLines } from './peers.js';

/** How one process of the scenario was started: its words, and its folder, which stands in them. */
export interface Launch {
  readonly words: readonly string[];
  readonly scratch: string;
  /** File that holds the guest's RAM, and its size in MiB, where there is one. */
  readonly image?: { readonly path: string; readonly mib: number };
}

/** @param launches by endpoint; a process without one cannot be started by a script, and the script says so */
export function reproScript(file: CaseFile, launches: ReadonlyMap<string, Launch>): string {
  const dialect = Object.values(dialects).find(({ name }) => name === file.dialect);
  const writer = new Writer(launches, dialect?.stream);
  for (const [i, step] of file.scenario.steps.entries()) writer.step(step, i + 1);
  return [
    '#!/bin/sh',
    `# ${printable(file.title)}`,
    `# finding ${file.signature}, reproduced ${file.reproduced.times} of ${file.reproduced.of} times on ${printable(file.target)} (${printable(`${file.product} ${file.productVersion}`)})`,
    '#',
    `# expected: ${printable(file.symptom.expected.join(', or '))}`,
    `# got:      ${printable(file.symptom.got)}`,
    ...(file.symptom.rows.length === 0 ? [] : [`# see:      ${file.symptom.rows.join(', ')}`]),
    '#',
    '# Needs a POSIX shell, socat and the target. Prints what goes over the wire: -> to the monitor, <- from it.',
    ...writer.limits.map((limit) => `# Not as in the original: ${limit}.`),
    library,
    ...writer.lines,
    'settle',
    '',
  ].join('\n');
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 300);

/** A word for the shell; `$dir` stands for the folder of the script's run. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `"${text.replace(/["$`\\]/g, '\\$&').replaceAll('\\$dir', '$dir')}"`;

class Writer {
  readonly lines: string[] = [];
  readonly limits: string[] = [];
  private ids = 0;
  private readonly monitors = new Map<string, number>();

  constructor(
    private readonly launches: ReadonlyMap<string, Launch>,
    private readonly rules: StreamRules | undefined,
  ) {}

  step(step: Step, number: number): void {
    this.lines.push('', `# step ${number}: ${step.do}${'at' in step ? ` ${step.at}` : ''}`);
    switch (step.do) {
      case 'start':
        this.start(step.at);
        return;
      case 'connect':
        this.connect(step);
        return;
      case 'command': {
        const { at, execute, oob, post, descriptors } = step;
        if (descriptors !== undefined) this.limit('no descriptor rides on a command');
        this.send(at, { [oob ? 'exec-oob' : 'execute']: execute, ...argumentsOf(step.arguments) }, post !== true);
        return;
      }
      case 'pipeline':
        this.pipeline(step);
        return;
      case 'raw':
        this.lines.push(`raw ${step.at} '${octal(Buffer.from(step.bytes, 'latin1'))}'`);
        if (step.every !== undefined) this.limit('bytes are sent in one piece');
        return;
      case 'fence':
        this.send(step.at, { execute: 'query-version' }, true);
        return;
      case 'status':
        this.lines.push(`until_status ${step.at} query-migrate ${seconds(step.deadline)} ${step.is.join(' ')}`);
        return;
      case 'runstate':
        this.lines.push(`until_status ${step.at} query-status ${seconds(step.deadline)} ${step.is.join(' ')}`);
        return;
      case 'event':
        this.lines.push(
          `until_event ${step.at} ${step.event} ${seconds(step.deadline)} ${(step.status ?? []).join(' ')}`.trimEnd(),
        );
        return;
      case 'disconnect':
        this.lines.push(`disconnect ${step.at}`);
        return;
      case 'exit':
        this.lines.push(`until_exit ${step.at} ${seconds(step.deadline)}`);
        return;
      case 'kill':
        this.lines.push(`kill -9 "$(cat "$dir/${step.at}.pid")"`);
        return;
      case 'peer':
      case 'relay':
      case 'feed':
      case 'message':
      case 'channel':
      case 'release':
      case 'cut': {
        const { lines, limit } = peerLines(step, this.rules);
        this.lines.push(...lines);
        if (limit !== undefined) this.limit(limit);
        return;
      }
    }
  }

  private limit(text: string): void {
    if (!this.limits.includes(text)) this.limits.push(text);
  }

  private start(at: string): void {
    const launch = this.launches.get(at);
    if (launch === undefined) {
      this.limit('the target runs already, and is not started here');
      this.lines.push(`echo "start the target by hand, with its monitor at $dir/${at}/qmp1.sock" >&2; exit 2`);
      return;
    }
    const { words, scratch, image } = launch;
    if (image !== undefined) {
      this.lines.push(`[ -f "$dir/ram.img" ] || head -c ${image.mib * 2 ** 20} /dev/urandom > "$dir/ram.img"`);
    }
    const line = words
      .map((word) => {
        const moved = word.replaceAll(scratch, `$dir/${at}`);
        return image === undefined ? moved : moved.replaceAll(image.path, '$dir/ram.img');
      })
      .map(quoted)
      .join(' ');
    this.lines.push(`start ${at} ${line}`);
  }

  private connect({ at, monitor, enable, before = [] }: Extract<Step, { do: 'connect' }>): void {
    const number = (monitor ?? 0) + 1;
    const name = number === 1 ? at : `${at}#${number}`;
    this.monitors.set(name, number);
    this.lines.push(`connect ${name} ${at} ${number}`);
    for (const one of before) this.send(name, { execute: one.execute, ...argumentsOf(one.arguments) }, true);
    this.send(
      name,
      { execute: 'qmp_capabilities', ...argumentsOf(enable === undefined ? undefined : { enable }) },
      true,
    );
  }

  private pipeline({ at, commands }: Extract<Step, { do: 'pipeline' }>): void {
    const texts = commands.map((command) => this.text({ execute: command.execute, ...argumentsOf(command.arguments) }));
    const [last] = texts.slice(-1);
    this.lines.push(`send ${at} ${quotedJson(texts.map(({ json }) => json).join('\n'))}`);
    if (last !== undefined) this.lines.push(`reply ${at} ${last.id}`);
  }

  private send(at: string, message: Record<string, unknown>, wait: boolean): void {
    const { json, id } = this.text(message);
    this.lines.push(`send ${at} ${quotedJson(json)}`);
    if (wait) this.lines.push(`reply ${at} ${id}`);
  }

  private text(message: Record<string, unknown>): { json: string; id: string } {
    const id = `r${++this.ids}`;
    const json = stringifyJson({ ...message, id }).replace(/\{channel ([^}]*)\}/g, '$dir/$1.mig');
    return { json, id };
  }
}

const argumentsOf = (value: unknown) => (value === undefined ? {} : { arguments: value });
const seconds = (deadline = 2000): number => Math.ceil(deadline / 1000);

/** JSON for the shell; only our own `$dir` is put in. */
function quotedJson(text: string): string {
  const parts = text.split('$dir').map((part) => (part === '' ? '' : `'${part.replaceAll("'", `'\\''`)}'`));
  return parts.join('"$dir"');
}
