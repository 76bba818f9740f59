/**
 * From a symptom to a finding: confirmed by running it again, shrunk, told apart from those that are there already, and
 * written as a folder. One at a time, beside the lanes that go on looking.
 */
import type { TargetFacts } from '../targets/facts.js';
import type { Scenario } from '../targets/scenario.js';
import type { Attempt } from './attempt.js';
import { type CaseFile, caseVersion, type Rate } from './case-file.js';
import type { Evidence } from './case-runner.js';
import { confirm, type RunFresh } from './confirm.js';
import type { FolderFile } from './folder.js';
import type { KnownFindings } from './known.js';
import { afterReset, chained } from './lane.js';
import { reduce } from './reduce.js';
import type { Store } from './store.js';
import { essence, type Symptom, signature, titleOf } from './symptom.js';

export interface Suspicion {
  readonly symptom: Symptom;
  readonly scenario: Scenario;
  readonly origin: CaseFile['origin'];
  /** Absent where the same was shown with evidence before. */
  readonly evidence?: Evidence;
}

export interface Finding {
  readonly id: string;
  readonly file: CaseFile;
  /** A known defect of the release, or one of those that were named as known. */
  readonly known: boolean;
  /** It showed itself again when it was run again. */
  readonly confirmed: boolean;
  /** Folder that holds it; absent when nothing is kept. */
  readonly folder?: string;
  /** Candidates that were run to make it smaller, and whether no step can go any more. */
  readonly shrinking: { readonly tried: number; readonly minimal: boolean };
}

/**
 * Whether it fails a campaign: it is new, and it showed itself again; of what did not, only a death counts, which no slip of the
 * judge or of the clock can bring about.
 */
export const failsCampaign = ({ known, confirmed, file }: Finding): boolean =>
  !known && (confirmed || file.symptom.kind === 'crash');

export interface FindingsOptions {
  readonly target: string;
  readonly facts: TargetFacts;
  readonly run: RunFresh;
  /** Runs a scenario again and again in one process, for leaks. */
  readonly runRepeatedly: RunFresh;
  readonly known: KnownFindings;
  /** Milliseconds to shrink one finding. */
  readonly shrinkBudget: number;
  /** Milliseconds by which that is measured; real time when absent. */
  readonly spent?: () => number;
  readonly store?: Store;
  /** Files of a finding beside `case.json` and `transcript.jsonl`. */
  readonly files: (file: CaseFile, shown: Attempt | undefined) => readonly FolderFile[];
  readonly onFinding: (finding: Finding) => void;
  /** False once the campaign has been told to end at once. */
  readonly going: () => boolean;
}

/** Findings of one essence, in different states, after which more of them say nothing new. */
const mostOfOneKind = 3;

/** Part of the time for shrinking that a known defect gets. */
const knownShare = 6;

export class Findings {
  readonly found = new Map<string, Finding>();
  /** How often each was seen again. */
  readonly again = new Map<string, number>();
  private readonly seen = new Map<string, string>();
  private readonly kinds = new Map<string, number>();
  private work: Promise<void> = Promise.resolve();
  private waiting = 0;
  private failure: unknown;

  constructor(private readonly options: FindingsOptions) {
    for (const [id, file] of options.store?.findings() ?? []) {
      const folder = options.store?.findingFolder(id);
      this.register({
        id,
        file,
        known: options.known.has(file.symptom),
        confirmed: file.reproduced.times > 0,
        shrinking: { tried: 0, minimal: false },
        ...(folder === undefined ? {} : { folder }),
      });
    }
  }

  /** Suspicions that are not confirmed yet. */
  get open(): number {
    return this.waiting;
  }

  /** Goes on with what an earlier run did not come to confirm. */
  resume(): void {
    for (const { name, file, transcript } of this.options.store?.pending() ?? []) {
      const { symptom, scenario, origin, history = [] } = file;
      this.enqueue({ symptom, scenario, origin, evidence: { history, transcript } }, name);
    }
  }

  /** Takes what an attempt showed. It is on disk before this returns. @throws StorageError */
  take(suspicion: Suspicion): void {
    const raw = signature(suspicion.symptom);
    const kind = essence(suspicion.symptom);
    const same = this.seen.get(raw);
    if (same !== undefined) {
      this.again.set(same, (this.again.get(same) ?? 0) + 1);
      return;
    }
    const many = this.kinds.get(kind) ?? 0;
    if (many >= mostOfOneKind) {
      this.again.set(kind, (this.again.get(kind) ?? 0) + 1);
      return;
    }
    this.seen.set(raw, raw);
    this.kinds.set(kind, many + 1);
    this.enqueue(
      suspicion,
      this.options.store?.hold(
        { ...this.fileOf(suspicion, { times: 1, of: 1 }), history: suspicion.evidence?.history ?? [] },
        suspicion.evidence?.transcript ?? '',
      ),
    );
  }

  /** Resolves when every suspicion is confirmed or given up. @throws StorageError */
  async drained(): Promise<void> {
    await this.work;
    if (this.failure !== undefined) throw this.failure;
  }

  private enqueue(suspicion: Suspicion, pending: string | undefined): void {
    this.waiting++;
    this.work = this.work
      .then(async () => {
        // What is not looked into now is still in the folder, and will be at the next start.
        if (!this.options.going()) return;
        if (!(await this.examine(suspicion))) return;
        if (pending !== undefined) this.options.store?.settle(pending);
        this.waiting--;
      })
      .catch((error: unknown) => {
        this.failure ??= error;
      });
  }

  /** False when time was up before anything could be said. */
  private async examine(suspicion: Suspicion): Promise<boolean> {
    const { going } = this.options;
    const { symptom } = suspicion;
    const run = symptom.kind === 'leak' ? this.options.runRepeatedly : this.options.run;
    let { scenario } = suspicion;
    let first = await confirm(scenario, symptom, run, going);
    const history = suspicion.evidence?.history ?? [];
    if (first.shown === undefined && history.length > 0 && going()) {
      // As its process met it: put back first, and with what it went through.
      const { settings } = this.options.facts;
      scenario = chained([...history, { ...scenario, steps: afterReset(scenario.steps, settings) }]);
      first = await confirm(scenario, symptom, run, going);
    }
    const stepsBefore = scenario.steps.length;
    if (first.shown === undefined) {
      if (!going()) return false;
      // What its process had served before is all that there is to go by.
      const file = { ...this.fileOf(suspicion, first.rate), ...(history.length === 0 ? {} : { history }) };
      this.finish(suspicion, file, undefined, { tried: 0, minimal: false });
      return true;
    }
    // A defect that everybody knows of needs no small scenario; what is new waits behind it.
    const known = this.options.known.has(symptom) || symptom.defect !== undefined;
    const { spent = () => performance.now() } = this.options;
    const until = spent() + this.options.shrinkBudget / (known ? knownShare : 1);
    const reproduced = { rate: first.rate, shown: first.shown };
    const inTime = () => spent() < until;
    const { told, tried, minimal, ...small } = await reduce(scenario, symptom, reproduced, { run, going, inTime });
    const { shown, rate } = told;
    const file = this.fileOf({ ...suspicion, scenario: small.scenario, symptom: shown.symptom }, rate, stepsBefore);
    this.finish(suspicion, file, shown.attempt, { tried, minimal });
    return true;
  }

  private finish(
    suspicion: Suspicion,
    file: CaseFile,
    shown: Attempt | undefined,
    shrinking: Finding['shrinking'],
  ): void {
    const id = file.signature;
    this.seen.set(signature(suspicion.symptom), id);
    const before = this.found.get(id);
    if (before !== undefined && (before.confirmed || file.reproduced.times === 0)) {
      this.again.set(id, (this.again.get(id) ?? 0) + 1);
      return;
    }
    const { store } = this.options;
    const finding: Finding = {
      id,
      file,
      known: this.options.known.has(file.symptom),
      confirmed: file.reproduced.times > 0,
      shrinking,
      ...(store === undefined ? {} : { folder: store.findingFolder(id) }),
    };
    store?.writeFinding(
      id,
      this.options.files(file, shown).concat([
        {
          name: 'transcript.jsonl',
          content: shown?.transcript.toJsonLines() ?? suspicion.evidence?.transcript ?? '',
        },
      ]),
    );
    store?.log.add({ event: 'finding', id, title: file.title, reproduced: file.reproduced });
    this.register(finding);
    this.options.onFinding(finding);
  }

  private register(finding: Finding): void {
    this.found.set(finding.id, finding);
    this.seen.set(finding.id, finding.id);
  }

  private fileOf(suspicion: Suspicion, reproduced: Rate, stepsBefore = suspicion.scenario.steps.length): CaseFile {
    const { facts, target } = this.options;
    const { symptom, scenario, origin } = suspicion;
    return {
      case: caseVersion,
      title: titleOf(symptom),
      signature: signature(symptom),
      symptom,
      reproduced,
      target,
      product: facts.product,
      productVersion: facts.version,
      dialect: facts.dialect.name,
      origin,
      stepsBefore,
      scenario,
    };
  }
}

/** The rate in words: `5 of 5`. */
export const rateWords = ({ times, of }: Rate): string => `${times} of ${of}`;
