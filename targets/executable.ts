/** Targets that are started as processes: the reference, a QEMU binary, a command template. */
import { accessSync, constants, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { qemuArguments } from './arguments.js';
import { freePort } from './free-port.js';
import { guestNameIn } from './guest-name.js';
import { firstAnswer, ProcessInstance, type ProcessPlan, type SessionDefaults } from './process-instance.js';
import { theReaper } from './reaper.js';
import {
  type Ability,
  type ExitStatus,
  type Instance,
  NotOffered,
  type StartOptions,
  type Target,
  TargetError,
  usualMemory,
} from './target.js';
import { expandTemplate, TemplateError } from './template.js';

export interface ExecutableSettings {
  /** Arguments added to every start. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until the monitor must listen. Default 10000. */
  readonly readiness?: number;
  /** Milliseconds that a reply may take. Default 5000. */
  readonly deadline?: number;
  /** Commands a second at most, on each connection; no limit when absent. */
  readonly rateLimit?: number;
}

/** Milliseconds that a reply may take unless a target says otherwise. */
const usualDeadline = 5000;

export function sessionDefaults(settings: ExecutableSettings): SessionDefaults {
  return {
    deadline: settings.deadline ?? usualDeadline,
    interval: settings.rateLimit === undefined ? 0 : 1000 / settings.rateLimit,
  };
}

/**
 * A monitor that has started answers in a few milliseconds, also where many start at once; one that is known to be slower is
 * given more time. The second try has all of {@link firstAnswer}.
 */
const leastPatience = 1000;
const patient = (before: number, took: number): number => Math.min(firstAnswer, Math.max(before, 8 * took));

/** A load that fails, or an argument that is not taken, ends a process soon after its monitor listens. */
const endsByItself = ({ badStart, options: { incoming = 'defer', extra = [] } }: ProcessInstance): boolean =>
  badStart === 'gone' && (incoming !== 'defer' || extra.length > 0);

/** It has ended although it was to load nothing. */
const refusesArguments = ({ badStart, exit, options: { incoming, extra = [] } }: ProcessInstance): boolean =>
  badStart === 'gone' && extra.length > 0 && incoming === undefined && exit?.signal === null && exit.code !== 0;

type Planner = (options: StartOptions, scratch: string) => Promise<Omit<ProcessPlan, 'scratch' | 'readiness'>>;

export class ExecutableTarget implements Target {
  private readonly instances = new Set<Instance>();
  private starts = 0;
  /** Starts that had to be made once more. */
  private readonly bad = { mute: 0, gone: 0 };
  /** Copies of a process that was loaded before that did not come: once that happened, none is asked for any more. */
  private late = 0;
  /** Milliseconds until a start without an answer is given up for a second one. */
  private patience = leastPatience;

  constructor(
    readonly name: string,
    readonly description: string,
    private readonly plan: Planner,
    private readonly missing: Partial<Record<Ability, string>>,
    private readonly settings: ExecutableSettings = {},
  ) {}

  get remark(): string | undefined {
    const { mute, gone } = this.bad;
    const parts = [
      ...(mute === 0 ? [] : [`${mute} greeted and then did not answer`]),
      ...(gone === 0 ? [] : [`${gone} ended as soon as the monitor listened`]),
    ];
    const remarks = [
      ...(parts.length === 0
        ? []
        : [`of ${this.starts} starts of the target ${parts.join(' and ')}; each was started once more`]),
      ...(this.late === 0
        ? []
        : ['a process that the target was to be copied from did not answer; it was loaded anew at each start since']),
    ];
    return remarks.length === 0 ? undefined : remarks.join('; ');
  }

  lacks(ability: Ability): string | undefined {
    return this.missing[ability];
  }

  async start(options: StartOptions = {}): Promise<Instance> {
    this.starts++;
    const first = await this.startOnce(options, this.patience);
    if (first.badStart === undefined) this.patience = patient(this.patience, first.firstAnswerTook);
    if (refusesArguments(first)) {
      await first.dispose();
      throw first.failedStart(first.exit as ExitStatus, 'as soon as its monitor listened');
    }
    if (first.badStart === undefined || endsByItself(first)) return first;
    this.bad[first.badStart]++;
    // Once more: if the second is no better, that is how the target is.
    await first.dispose();
    const second = await this.startOnce(options);
    if (second.badStart !== 'gone' || second.exit === undefined) return second;
    await second.dispose();
    throw second.failedStart(second.exit, 'as soon as its monitor listened');
  }

  private async startOnce(options: StartOptions, patience = firstAnswer): Promise<ProcessInstance> {
    const scratch = theReaper().folder();
    const plan = await this.plan(options, scratch);
    const args = [...plan.args, ...(this.settings.args ?? [])];
    const guest = guestNameIn(args);
    if (options.name !== undefined && guest !== options.name) throw new NotOffered('its own arguments name the guest');
    const instance = await ProcessInstance.start(
      {
        ...plan,
        args,
        guest,
        env: { ...plan.env, ...this.settings.env },
        scratch,
        readiness: this.settings.readiness ?? 10000,
        patience,
      },
      options,
      sessionDefaults(this.settings),
    );
    if (instance.copiedLate) this.late++;
    this.instances.add(instance);
    instance.onDispose = () => this.instances.delete(instance);
    return instance;
  }

  async close(): Promise<void> {
    await Promise.all([...this.instances].map((instance) => instance.dispose()));
    this.instances.clear();
  }
}

/** Absolute path of a program on PATH, or of a path as given. @throws TargetError */
export function findProgram(program: string): string {
  const candidates = program.includes('/')
    ? [resolve(program)]
    : (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, program));
  for (const candidate of candidates) {
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {
      // Look further.
    }
  }
  throw new TargetError(
    program.includes('/')
      ? `${program} is not a program that can be run`
      : `${program} was not found on PATH: install it, or write its path`,
  );
}

/** A QEMU system emulator. */
export function qemuTarget(name: string, program = 'qemu-system-x86_64', settings?: ExecutableSettings): Target {
  const command = findProgram(program);
  const plan: Planner = async (options, scratch) => ({
    command,
    often: true,
    ...(await qemuArguments(options, scratch, freePort, settings?.args)),
  });
  return new ExecutableTarget(name, command, plan, {}, settings);
}

/** The bundled reference monitor; `args` are its own options, for example `--dialect 7.2`. */
export function referenceTarget(
  name = 'reference',
  args: readonly string[] = [],
  settings?: ExecutableSettings,
): Target {
  // Beside this file in the source tree and in the compiled one. The former needs a loader, named by its address because
  // the monitor does not run in our folder.
  const source = import.meta.url.endsWith('.ts');
  const loader = source ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : [];
  const program = fileURLToPath(new URL(`../reference/monitor/main.${source ? 'ts' : 'js'}`, import.meta.url));
  const plan: Planner = async (options, scratch) => {
    const line = await qemuArguments(options, scratch, freePort, settings?.args);
    return {
      command: process.execPath,
      args: [...loader, program, ...args, ...line.args],
      monitors: line.monitors,
    };
  };
  return new ExecutableTarget(name, ['qmpspec monitor', ...args].join(' '), plan, {}, settings);
}

/** A template with an option by which nothing of what it starts could be seen. @throws TemplateError */
function staysInFront(words: readonly string[]): void {
  const daemon = words.find((word) => /^--?daemonize$/.test(word));
  if (daemon !== undefined)
    throw new TemplateError(
      `the template must not have ${daemon}: what it starts must stay in the foreground, where its end is seen`,
    );
}

const between = 'what its template starts may stand between this tool and the monitor';

/** What starts a QEMU, or something like it, with the arguments that it is given in the place of `{arguments}`. */
function wrapperTarget(name: string, template: string, settings?: ExecutableSettings): Target {
  const mark = '{arguments}';
  const [other] = /\{(?!arguments\})[a-z-]+\}/.exec(template) ?? [];
  if (other !== undefined) throw new TemplateError(`{arguments} says all that ${other} would: leave ${other} out`);
  const words = expandTemplate(template, { arguments: mark });
  if (words.filter((word) => word === mark).length !== 1 || words.join(' ').split(mark).length !== 2)
    throw new TemplateError(`{arguments} must be a word of its own, and stand there once: ${template}`);
  staysInFront(words);
  const plan: Planner = async (options, scratch) => {
    const { args, monitors } = await qemuArguments(options, scratch, freePort, [
      ...words.slice(words.indexOf(mark)),
      ...(settings?.args ?? []),
    ]);
    const [program = '', ...rest] = words.flatMap((word) => (word === mark ? args : [word]));
    return { command: findProgram(program), args: rest, monitors };
  };
  return new ExecutableTarget(name, template, plan, { direct: between }, settings);
}

/** Any other program, by a template (see template.ts). */
export function commandTarget(name: string, template: string, settings?: ExecutableSettings): Target {
  if (template.includes('{arguments}')) return wrapperTarget(name, template, settings);
  const fixed = 'a command template has one monitor and fixed arguments';
  const has = (placeholder: string) => template.includes(`{${placeholder}}`);
  if (!has('qmp') && !has('qmp-path')) {
    throw new TemplateError(
      `the template must say where the monitor listens, with {qmp} or {qmp-path}, or take {arguments}: ${template}`,
    );
  }
  // What is wrong with it is told now, and not when the first requirement starts something.
  const usual = { qmp: 'unix:q', 'qmp-path': 'q', scratch: 's', memory: String(usualMemory) };
  staysInFront(expandTemplate(template, usual));
  // What is left out in silence would make a requirement judge another machine than it asked for.
  const refuse = (options: StartOptions) => {
    const lacking = (['incoming', 'paused', 'ram-image', 'memory'] as const).find(
      (name) => options[name === 'ram-image' ? 'ramImage' : name] && !has(name),
    );
    if (lacking !== undefined) throw new NotOffered(`its template has no {${lacking}}`);
    const { monitors = [{ transport: 'unix' }], name, extra } = options;
    const plain =
      monitors.length === 1 && monitors.every(({ transport, pretty, oob }) => transport === 'unix' && !pretty && !oob);
    if (!plain || name !== undefined || (extra ?? []).length > 0) throw new NotOffered(fixed);
  };
  const plan: Planner = async (options, scratch) => {
    refuse(options);
    const path = join(scratch, 'qmp1.sock');
    const words = expandTemplate(template, {
      qmp: `unix:${path}`,
      'qmp-path': path,
      scratch,
      memory: String(options.memory ?? usualMemory),
      ...(options.incoming === undefined ? {} : { incoming: options.incoming }),
      ...(options.ramImage === undefined ? {} : { 'ram-image': options.ramImage }),
      ...(options.paused ? { paused: 'paused' } : {}),
    });
    return { command: findProgram(words[0] as string), args: words.slice(1), monitors: [{ kind: 'unix', path }] };
  };
  return new ExecutableTarget(
    name,
    template,
    plan,
    {
      arguments: fixed,
      direct: between,
      ...(has('incoming') ? {} : { incoming: 'its template has no {incoming}' }),
    },
    settings,
  );
}
