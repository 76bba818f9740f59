/** Runs one requirement and draws its verdict. */
import { unlikeTheModel } from '../oracle/by-model.js';
import { Divergence } from '../oracle/divergence.js';
import { judgeTranscript } from '../oracle/judge.js';
import { defectOfCrash, knownDefects } from '../oracle/known-defects.js';
import { defectsOfFacts, partsLackingIn } from '../oracle/release.js';
import type { RequirementEnded } from '../oracle/run-events.js';
import { signatureOf } from '../oracle/signature.js';
import { Trial, type TrialSettings } from '../oracle/trial.js';
import { isFailure, type Verdict } from '../oracle/verdict.js';
import { ConnectError, DeadlinePassed, Disconnected, NotQmp } from '../protocol/errors.js';
import { isObject } from '../protocol/json.js';
import { renderEntries } from '../protocol/render.js';
import { type Entry, Transcript } from '../protocol/transcript.js';
import type { BuildPart } from '../reference/dialects/built-without.js';
import { goesOn, goesOnWords } from '../targets/goes-on.js';
import { usualPageSize } from '../targets/page-size.js';
import { type ProbeResult, probe } from '../targets/probe.js';
import { theReaper } from '../targets/reaper.js';
import { noRoomLeft } from '../targets/scratch-root.js';
import { describeExit, type Instance, NotOffered, TargetError } from '../targets/target.js';
import { migrationBlocked } from './blocked.js';
import { guestEnds } from './guest-ends.js';
import { guestWaits } from './guest-waits.js';
import { commandThatLacks } from './lacking.js';
import { withinItsTime } from './own-time.js';
import type { Requirement } from './requirement.js';

/** Milliseconds that a whole requirement may take unless it says otherwise. */
const usualDeadline = 20000;

/** Signals that nobody sends: a process that ends by one has crashed, whatever was checked. */
const crashes: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP']);

/** What one run of a requirement gave. `fatal`: the target is gone for good. */
export interface Conduct {
  readonly verdict: Verdict;
  readonly duration: number;
  readonly checks: number;
  readonly transcript: Transcript;
  /** What each check would have accepted, in order. */
  readonly accepted: Trial['accepted'];
  readonly excerpt?: readonly string[];
  readonly stderr?: readonly string[];
  readonly fatal?: string;
  /** An instance was used that had migrated before, or something was looked at together with others. */
  readonly reused: boolean;
}

export async function conduct(requirement: Requirement, settings: TrialSettings): Promise<Conduct> {
  const trial = new Trial(settings);
  const began = performance.now();
  let verdict: Verdict;
  let fatal: string | undefined;
  try {
    await withinItsTime(requirement.run(trial), requirement.deadline ?? usualDeadline, trial);
    trial.conversed();
    trial.streamed();
    const unlike = trial.quotes ? undefined : unlikeTheModel(trial.transcript, trial.facts, trial.served);
    if (unlike !== undefined) throw new Divergence(unlike);
    const died = trial.instances.find(({ exit }) => exit?.signal != null && crashes.has(exit.signal))?.exit;
    if (trial.defect !== undefined) verdict = knownDefect(trial.defect);
    else if (died !== undefined && guestEnds(trial) === undefined) {
      const defect = defectOfDeath(trial);
      const crash: Verdict = { kind: 'crash', reason: `the target died: ${describeExit(died)}` };
      verdict = defect === undefined ? crash : knownDefect(defect);
    } else if (trial.checks > 0) verdict = { kind: 'conforms' };
    else verdict = { kind: 'vacuous', reason: 'it ended without checking anything' };
  } catch (error) {
    ({ verdict, fatal } = await judgeError(error, trial));
  }
  const duration = performance.now() - began;
  const failed = isFailure(verdict);
  const stderr = failed
    ? trial.instances.flatMap((instance) => instance.stderr.trim().split('\n')).filter((line) => line !== '')
    : [];
  await trial.finish(verdict.kind === 'conforms');
  return {
    verdict,
    duration,
    checks: trial.checks,
    transcript: trial.transcript,
    accepted: trial.accepted,
    reused: trial.reused,
    ...(failed ? { excerpt: excerpt(trial.transcript.entries, verdict.divergence?.entry) } : {}),
    ...(stderr.length > 0 ? { stderr: stderr.slice(-8) } : {}),
    ...(fatal === undefined ? {} : { fatal }),
  };
}

/** Whatever else came of it: a process that dies of a known defect has not crashed of another one. */
function knownDefect(id: string): Verdict {
  const row = knownDefects.find((one) => one.id === id);
  return { kind: 'known-defect', defect: id, ...(row === undefined ? {} : { reason: row.title }) };
}

/** The known defect that a process died of: by its last words, or by what it was doing. */
function defectOfDeath({ facts, instances, transcript }: Trial): string | undefined {
  const defects = defectsOfFacts(facts);
  const divided = instances.some(({ exit }) => exit?.signal === 'SIGFPE');
  if (divided && (facts.pageSize ?? 0) > usualPageSize && defects.has('MIG-DEF-53')) return 'MIG-DEF-53';
  const said = defectOfCrash(instances.map(({ stderr }) => stderr).join('\n'), defects);
  if (said !== undefined || defects.size === 0) return said?.id;
  const { dialect, schema, readings = [] } = facts;
  return judgeTranscript(transcript, { dialect, readings, schema, defects }).defects?.[0];
}

/** Processes of ours were asked at the start; one that had the part then has no excuse to refuse for want of it. */
const mayLack = ({ facts, instances }: Trial, { desc }: BuildPart): boolean =>
  facts.dialect.migration.conflicts.some((one) => one.desc === desc) || instances.some(({ pid }) => pid === undefined);

async function judgeError(error: unknown, trial: Trial): Promise<{ verdict: Verdict; fatal?: string }> {
  if (error instanceof NotOffered) return { verdict: { kind: 'not-applicable', reason: error.message } };
  const full = noRoomLeft(error, theReaper().root);
  if (full !== undefined) return { verdict: { kind: 'inconclusive', reason: full } };
  if (error instanceof TargetError) {
    return { verdict: { kind: 'inconclusive', reason: error.message }, fatal: error.message };
  }
  trial.disconnect();
  const health = await healthOf(trial.instances);
  if (health.health !== 'healthy') trial.transcript.add('source', 'note', `control probe: ${health.detail}`);
  const ended = guestEnds(trial);
  if (ended !== undefined) return { verdict: { kind: 'not-applicable', reason: ended } };
  for (const instance of trial.instances) {
    if (!(await goesOn(instance))) continue;
    return { verdict: { kind: 'inconclusive', reason: goesOnWords }, fatal: goesOnWords };
  }
  const base = explain(error);
  const garbled = trial.transcript.entries.find((entry) => entry.kind === 'received' && !looksLikeJson(entry));
  if (health.health === 'dead') {
    const defect = defectOfDeath(trial);
    if (defect !== undefined) return { verdict: knownDefect(defect) };
    const verdict: Verdict = { kind: 'crash', reason: `the target died: ${health.detail}`, ...base };
    return health.lost ? { verdict, fatal: `the target is gone: ${health.detail}` } : { verdict };
  }
  if (health.health === 'wedged') {
    const excuse = guestWaits(trial);
    if (excuse !== undefined) return { verdict: { kind: 'not-applicable', reason: excuse } };
    const verdict: Verdict = { kind: 'hang', reason: `the target no longer answers: ${health.detail}`, ...base };
    return health.lost ? { verdict, fatal: `the target no longer answers: ${health.detail}` } : { verdict };
  }
  if (garbled !== undefined && !(error instanceof Divergence)) {
    return { verdict: { kind: 'garbage', reason: 'it sent something that is not JSON', ...base } };
  }
  if (base.divergence !== undefined) {
    const blocked = migrationBlocked(trial);
    if (blocked !== undefined) return { verdict: { kind: 'not-applicable', reason: blocked } };
    const absent = commandThatLacks(trial.transcript.entries, trial.facts);
    if (absent !== undefined) return { verdict: { kind: 'not-applicable', reason: `no command ${absent}` } };
    const part = partsLackingIn(trial.transcript.entries).find((one) => mayLack(trial, one));
    if (part !== undefined) return { verdict: { kind: 'not-applicable', reason: part.reason } };
    return { verdict: { kind: 'divergence', ...base } };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { verdict: { kind: 'inconclusive', reason: `the requirement itself failed: ${message}` } };
}

function explain(error: unknown): Pick<Verdict, 'divergence'> {
  if (error instanceof Divergence) return { divergence: error.report };
  if (error instanceof DeadlinePassed) {
    return { divergence: { expected: [error.awaited], got: `nothing within ${Math.round(error.deadline)} ms` } };
  }
  if (error instanceof Disconnected) return { divergence: { expected: [error.awaited], got: 'end of file' } };
  if (error instanceof NotQmp) return { divergence: { expected: ['a greeting'], got: error.message } };
  if (error instanceof ConnectError) return { divergence: { expected: ['a connection'], got: error.message } };
  return {};
}

/**
 * The worst health among the instances of the trial: one that has died may leave its peer waiting. `lost`: it cannot be
 * replaced by a new one.
 */
async function healthOf(instances: readonly Instance[]): Promise<ProbeResult & { lost: boolean }> {
  let worst: ProbeResult & { lost: boolean } = { health: 'healthy', detail: '', lost: false };
  for (const instance of instances) {
    if (instance.exit !== undefined) continue;
    // What the probe says and hears is not part of the requirement.
    instance.record(new Transcript(), 'probe');
    const result = await probe(instance);
    const ill = result.health === 'dead' || (result.health === 'wedged' && worst.health !== 'dead');
    if (ill) worst = { ...result, lost: instance.pid === undefined };
  }
  // A process that a requirement made to exit in an orderly way is no crash.
  const crashed = instances.find(({ exit }) => exit?.signal != null && exit.signal !== 'SIGKILL')?.exit;
  return crashed === undefined ? worst : { health: 'dead', detail: describeExit(crashed), lost: false };
}

function looksLikeJson(entry: Entry): boolean {
  try {
    return isObject(JSON.parse(entry.text));
  } catch {
    return false;
  }
}

/** Messages before and at the one that diverged; what was asked is kept together with what came. */
export function excerpt(entries: readonly Entry[], at: number | undefined, length = 14): string[] {
  const upTo = at === undefined ? entries.length : at + 1;
  const first = Math.max(0, upTo - length);
  return renderEntries(entries.slice(first, upTo), {
    width: 200,
    times: true,
    ...(at === undefined ? {} : { pointAt: at }),
  });
}

/** The event that reports a conduct. */
export function endedEvent(
  requirement: Requirement,
  chapter: readonly string[],
  result: Pick<Conduct, 'verdict' | 'duration' | 'checks' | 'excerpt' | 'stderr'>,
  reproduce: () => string,
): RequirementEnded {
  const signature = signatureOf(result.verdict);
  return {
    event: 'requirement',
    id: requirement.id,
    level: requirement.level,
    title: requirement.title,
    spec: requirement.spec,
    chapter,
    verdict: result.verdict,
    duration: Math.round(result.duration * 100) / 100,
    checks: result.checks,
    ...(result.excerpt === undefined ? {} : { excerpt: result.excerpt }),
    ...(result.stderr === undefined ? {} : { stderr: result.stderr }),
    ...(isFailure(result.verdict) ? { reproduce: reproduce() } : {}),
    ...(signature === undefined ? {} : { signature }),
  };
}
