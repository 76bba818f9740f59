/**
 * What has been sent to one process: the commands of the first connection, which are executed in their order, and those that
 * run outside it: out-of-band ones and those of further connections. Each connection keeps its own order; two of them have
 * none but that what was sent after a reply was seen is executed after the command of that reply.
 */

import { type JsonValue, sameJson } from '../../protocol/json.js';
import type { Core, Cores, Execution, Move } from './core.js';
import { type Emission, idMatches, latest, matches } from './emission.js';
import { type Hypothesis, hypothesis, passAfter } from './hypothesis.js';
import type { Observation } from './observation.js';
import type { Sent } from './sent.js';
import { effectKey } from './space.js';
import { executed as walkedBy } from './trail.js';
import { tunes } from './tuning.js';

type Reply = Extract<Observation, { kind: 'reply' }>;

interface Ordered extends Execution {
  /** Indexes of commands outside the order that must have been executed before. */
  readonly after: readonly number[];
  /** The text of its refusal, where {@link Execution.sent} leaves that out. */
  readonly desc?: string;
}

interface Outside extends Ordered {
  readonly index: number;
  /** Its reply has been seen, whether a hypothesis has executed it by now or not. */
  reply?: Reply;
}

const none: readonly number[] = [];

export class Queue {
  /** In band on the first connection. */
  private readonly ordered: Ordered[] = [];
  /** Outside the order, and not yet executed in every hypothesis. */
  private outside: Outside[] = [];
  private count = 0;
  /** The first connection may send commands past the order. */
  private oob = false;

  constructor(private readonly strictDesc: boolean) {}

  /** Number of commands in band on the first connection. */
  get length(): number {
    return this.ordered.length;
  }

  /**
   * A command of the first connection. Refusals of one class go the same ways, and their texts have no end: where those are
   * not compared they are kept here, for explanations.
   */
  add(sent: Sent): void {
    if (sent.oob) this.outside.push(this.outsider(sent, this.answered, false));
    else if (sent.kind === 'refused' && !this.strictDesc) {
      const any: Sent = { ...sent, desc: '*' };
      const { desc } = sent;
      this.ordered.push({
        sent: any,
        key: effectKey(any),
        tunes: false,
        ref: latest,
        apart: false,
        alone: false,
        after: this.answered,
        desc,
      });
    } else {
      if (sent.kind === 'negotiation' && sent.enablesOob) this.oob = true;
      const alone = !this.oob;
      const key = alone ? effectKey(sent) : `${effectKey(sent)} beside others`;
      this.ordered.push({ sent, key, tunes: tunes(sent), ref: latest, apart: false, alone, after: this.answered });
    }
  }

  /** A command of another connection. @param previous index of the one before it on its connection. @returns its index */
  addApart(sent: Sent, previous: number | undefined): number {
    const after = previous === undefined || sent.oob ? this.answered : [...this.answered, previous];
    const one = this.outsider(sent, after, true);
    this.outside.push(one);
    return one.index;
  }

  private outsider(sent: Sent, after: readonly number[], apart: boolean): Outside {
    const index = this.count++;
    return { sent, key: effectKey(sent), tunes: tunes(sent), ref: index, apart, alone: false, after, index };
  }

  private get answered(): readonly number[] {
    if (this.outside.length === 0) return none;
    return this.outside.flatMap(({ index, reply }) => (reply === undefined ? [] : [index]));
  }

  /**
   * Everything that may be executed next, and what may come of it.
   * @param wanted whether something is of use that puts this out first; all is when absent
   */
  executions(cores: Cores, from: Hypothesis, core: Core, wanted?: (first: Emission) => boolean): Hypothesis[] {
    const result: Hypothesis[] = [];
    const { tuning, executed, done, pass, trail } = from;
    const ready = ({ after }: Ordered) => after.every((index) => done.includes(index) || !this.isOpen(index));
    const isWanted = ({ first }: Move) => first === undefined || wanted === undefined || wanted(first);
    const next = this.ordered[executed];
    if (next !== undefined && ready(next)) {
      for (const move of cores.execute(core, next, tuning)) {
        if (!isWanted(move)) continue;
        const told = passAfter(core, move.to, pass);
        const way = walkedBy(trail, move);
        result.push(hypothesis(move.to, move.tuning ?? tuning, executed + 1, done, told, way));
      }
    }
    for (const one of this.outside) {
      if (done.includes(one.index) || !ready(one)) continue;
      const others = [...done, one.index].sort((a, b) => a - b);
      for (const move of cores.execute(core, one, tuning)) {
        if (!isWanted(move)) continue;
        const { to } = move;
        const answered = one.reply === undefined ? to : this.answeredWith(cores, to, one.index, one.reply);
        if (answered === undefined) continue;
        const told = passAfter(core, answered, pass);
        const way = walkedBy(trail, move);
        result.push(hypothesis(answered, move.tuning ?? tuning, executed, others, told, way));
      }
    }
    return result;
  }

  /** Place in the order of the last command with this id; -1 when there is none. */
  placeOf(id: JsonValue): number {
    return this.ordered.findLastIndex(({ sent }) => sent.id !== undefined && sameJson(sent.id, id));
  }

  /** The command at this place in the order will not be executed: those behind it move up. */
  remove(place: number): void {
    this.ordered.splice(place, 1);
  }

  /** Whether anything waits for its execution in this hypothesis. */
  waits({ executed, done }: Hypothesis): boolean {
    return executed < this.ordered.length || done.length < this.outside.length;
  }

  /** The command of this number in the order of the first connection, from 0; `undefined` when there is none yet. */
  inOrder(number: number): Execution | undefined {
    return this.ordered[number];
  }

  /** The id of the command that a reply on the first connection answers. */
  idOf({ executed }: Hypothesis, ref: number | undefined) {
    if (ref === undefined) return undefined;
    if (ref === latest) return this.ordered[executed - 1]?.sent.id;
    return this.outside.find(({ index }) => index === ref)?.sent.id;
  }

  /** What a hypothesis may put out, with the text that its message is refused with where {@link add} has left that out. */
  inFull({ executed }: Hypothesis, emission: Emission): Emission {
    const { output, command } = emission;
    const desc = command === latest ? this.ordered[executed - 1]?.desc : undefined;
    const cut = output.kind === 'reply' && 'ok' in output && !output.ok && output.desc === '*';
    return desc === undefined || !cut ? emission : { ...emission, output: { ...output, desc } };
  }

  /** The id of the command of this number. */
  idAt(number: number) {
    return this.ordered[number]?.sent.id;
  }

  /** Nothing runs outside the order of the first connection. */
  get isPlain(): boolean {
    return this.outside.length === 0;
  }

  /** The reply to a command of another connection has come. */
  see(index: number, reply: Reply): void {
    const one = this.outside.find((other) => other.index === index);
    if (one !== undefined) one.reply = reply;
  }

  /** A core whose reply to this command has been seen; `undefined` when it would have been another. */
  answeredWith(cores: Cores, core: Core, index: number, reply: Reply): Core | undefined {
    const emission = core.apart.find(({ command }) => command === index);
    if (emission === undefined) return core;
    const { sent } = this.outside.find((one) => one.index === index) ?? {};
    if (!idMatches(sent?.id, reply.id) || !matches(emission, reply, this.strictDesc)) return undefined;
    return cores.changed(core, { apart: core.apart.filter((one) => one !== emission) });
  }

  /** What a command of another connection may answer where the hypotheses are now. */
  wouldAnswer(cores: Cores, set: readonly Hypothesis[], index: number): Emission[] {
    const one = this.outside.find((other) => other.index === index);
    if (one === undefined) return [];
    const answers = set.flatMap(({ core, tuning, done }) =>
      done.includes(index) ? [core] : cores.execute(core, one, tuning).map(({ to }) => to),
    );
    return [...new Set(answers.flatMap(({ apart }) => apart.filter(({ command }) => command === index)))];
  }

  isOpen(index: number): boolean {
    return this.outside.some((one) => one.index === index);
  }

  /** Forgets what every hypothesis has executed and nobody waits for any more. */
  tidy(set: readonly Hypothesis[]): readonly Hypothesis[] {
    if (this.outside.length === 0) return set;
    const over = new Set(
      this.outside
        .filter(
          ({ index, apart, reply }) => (!apart || reply !== undefined) && set.every(({ done }) => done.includes(index)),
        )
        .filter(({ index }) => set.every(({ core }) => !refers(core, index)))
        .map(({ index }) => index),
    );
    if (over.size === 0) return set;
    this.outside = this.outside.filter(({ index }) => !over.has(index));
    return set.map(({ core, tuning, executed, done, pass, trail }) =>
      hypothesis(
        core,
        tuning,
        executed,
        done.filter((index) => !over.has(index)),
        pass,
        trail,
      ),
    );
  }

  /** Nothing that was sent before now will be executed any more, or all of it has been. */
  forget(): void {
    this.outside = [];
  }
}

const refers = ({ pending, held, owed, apart }: Core, index: number): boolean =>
  owed === index ||
  held?.command === index ||
  pending.some(({ command }) => command === index) ||
  apart.some(({ command }) => command === index);
