/**
 * What is tried next. A case with its number is drawn from the seed alone; what guides it is how often each source led to
 * something new, and which earlier cases did. Without guidance the cases depend on nothing but seed and number.
 */

import type { CaseSource, Surroundings } from '../generators/sources.js';
import type { Scenario } from '../targets/scenario.js';
import type { Corpus, Parent } from './corpus.js';
import { mutated } from './mutate.js';
import { freshTape, type Random, randomOf } from './random.js';
import { kindOf, Turns } from './turns.js';

export interface PlannedCase {
  readonly index: number;
  readonly source: CaseSource;
  readonly tape: readonly number[];
  readonly scenario: Scenario;
  /** The case that it was made from. */
  readonly parent?: Parent;
}

/** Of 100 cases, how many are made from earlier ones once there are some. */
const fromCorpus = 50;

/** Of 100 cases that explore, how many go straight for a transition that no case has reached, while there is a way to one. */
const straight = 25;
/** Tries after which a way counts as leading nowhere with this target. */
const mostTries = 12;

/** What the cases of a source were, how many of them novel, and their milliseconds. */
interface Yield {
  readonly tried: number;
  readonly novel: number;
  readonly time: number;
}

const nothing: Yield = { tried: 0, novel: 0, time: 0 };

export class Schedule {
  private readonly yields = new Map<string, Yield>();
  private readonly turns = new Turns();
  /** Entries that were there before this campaign, and how many of them have been run again. */
  private readonly inherited: number;
  private replayed = 0;
  /** Cheap cases that leave nothing out: a guided campaign begins with them. */
  private readonly opening: readonly { readonly source: CaseSource; readonly way: number }[];
  /** How often each way to a transition was tried. */
  private readonly tries = new Map<number, number>();

  constructor(
    private readonly seed: number,
    private readonly sources: readonly CaseSource[],
    private readonly surroundings: Surroundings,
    /** Absent: no guidance. */
    private readonly corpus?: Corpus,
    /** Whether a transition was surely taken, by its key. */
    private readonly reached: (key: string) => boolean = () => false,
    /** Cases wait for the target, so that there is time to fill in bulk; in a simulation there is none. */
    private readonly fills = true,
  ) {
    this.inherited = corpus?.size ?? 0;
    this.opening = sources.flatMap((source) =>
      Array.from({ length: source.opening?.(surroundings) ?? 0 }, (_, way) => ({ source, way })),
    );
  }

  /** @param index number of the case, from 0 */
  plan(index: number): PlannedCase {
    const planned = this.choose(index);
    this.turns.begin(kindOf(planned.source));
    return planned;
  }

  private choose(index: number): PlannedCase {
    const random = randomOf(this.seed, index);
    const given = this.corpus?.parents[this.replayed];
    // What an earlier campaign left is run first: it is the shortest way to where that one ended.
    if (given !== undefined && this.replayed < this.inherited) {
      this.replayed++;
      const source = this.sources.find(({ name }) => name === given.entry.source);
      if (source !== undefined) return { index, source, tape: given.entry.tape, scenario: given.entry.scenario };
    }
    const opening = this.corpus === undefined ? undefined : this.opening[index];
    if (opening !== undefined) {
      const { source, way } = opening;
      return { index, source, tape: [way], scenario: this.make(source, [way], index) };
    }
    const sources = this.corpus === undefined ? this.sources : this.due();
    const steered =
      this.corpus === undefined || random.below(100) >= straight ? undefined : this.steered(index, random, sources);
    if (steered !== undefined) return steered;
    const parents = this.corpus?.parents.filter(({ entry }) => sources.some(({ name }) => name === entry.source)) ?? [];
    if (parents.length > 0 && random.below(100) < fromCorpus) return this.child(index, random, parents);
    const source = random.weighted(sources.map((one) => [this.worth(one, sources), one] as const));
    const tape = freshTape(random, source.length);
    return { index, source, tape, scenario: this.make(source, tape, index) };
  }

  /** What became of a case. @param duration milliseconds */
  learn({ source, parent }: PlannedCase, { novel, duration }: { novel: boolean; duration: number }): void {
    const { tried, novel: before, time } = this.yields.get(source.name) ?? nothing;
    this.yields.set(source.name, { tried: tried + 1, novel: before + (novel ? 1 : 0), time: time + duration });
    this.turns.end(kindOf(source), novel, duration);
    if (parent !== undefined && novel) parent.fruitful++;
  }

  /** The sources whose turn it is, those in bulk or the others, so that each kind has its part of the time. */
  private due(): readonly CaseSource[] {
    const bulk = this.sources.filter((one) => one.bulk);
    const others = this.sources.filter((one) => !one.bulk);
    if (!this.fills || bulk.length === 0 || others.length === 0) return this.sources;
    return this.turns.next === 'bulk' ? bulk : others;
  }

  /** A case on the way to something that was not reached yet; `undefined` when there is none, or none that leads there. */
  private steered(index: number, random: Random, sources: readonly CaseSource[]): PlannedCase | undefined {
    for (const source of sources) {
      const open = (source.aims?.(this.surroundings) ?? []).flatMap((aims, way) =>
        aims.every(this.reached) ? [] : [{ way, tried: this.tries.get(way) ?? 0 }],
      );
      const least = open.reduce((min, { tried }) => Math.min(min, tried), mostTries);
      const fresh = open.filter(({ tried }) => tried === least);
      if (least >= mostTries || fresh.length === 0) continue;
      const { way } = random.pick(fresh);
      this.tries.set(way, least + 1);
      const tape = [way, ...freshTape(random, source.length).slice(1)];
      return { index, source, tape, scenario: this.make(source, tape, index) };
    }
    return undefined;
  }

  private child(index: number, random: Random, parents: readonly Parent[]): PlannedCase {
    // Those that bore fruit, and those that were not tried yet.
    const parent = random.weighted(parents.map((one) => [(1 + 4 * one.fruitful) / (1 + one.picked), one] as const));
    parent.picked++;
    const source = this.sources.find(({ name }) => name === parent.entry.source) as CaseSource;
    const other = random.pick(parents.filter(({ entry }) => entry.source === source.name)).entry.tape;
    const tape = mutated(parent.entry.tape, other, random);
    return { index, source, tape, scenario: this.make(source, tape, index), parent };
  }

  /** A source's weight, by what it found in its time beside what is usual: between a quarter and four times. */
  private worth({ name, weight }: CaseSource, among: readonly CaseSource[]): number {
    if (this.corpus === undefined) return weight;
    const { tried, novel, time } = this.yields.get(name) ?? nothing;
    if (tried < 20) return weight;
    const all = among.map((one) => this.yields.get(one.name) ?? nothing);
    const usual = all.reduce((sum, one) => sum + one.novel, 1) / all.reduce((sum, one) => sum + one.time, 1);
    return weight * Math.min(4, Math.max(0.25, (novel + 0.5) / Math.max(1, time) / usual));
  }

  private make(source: CaseSource, tape: readonly number[], index: number): Scenario {
    const scenario = source.make(tape, this.surroundings);
    return { ...scenario, seed: this.seed, title: scenario.title ?? `${source.name}, case ${index}` };
  }
}
